package entra

import (
	"strings"

	"github.com/google/uuid"
)

// permission is what the consent page says of a permission of Microsoft Graph.
type permission struct {
	Name  string
	Title string
	About string
}

// AppRoleID is the id of an application permission of Microsoft Graph, the same in every tenant and cloud: the known ones
// of facts/entra.md §4, any other derived from its name.
func AppRoleID(name string) string {
	switch name {
	case "TeamMember.Read.All":
		return "660b7406-55f1-41ca-a0ed-0b035e182f3e"
	case "User.ReadWrite.All":
		return "741f803b-c850-494e-b5df-cde7c675a1ca"
	case "Domain.ReadWrite.All":
		return "7e05723c-0bb0-42da-be95-ae9f08a6e53c"
	case "CallRecords.Read.All":
		return "45bbb07e-7321-4fd7-a8f6-3ff27e6a81c8"
	case "RoleManagement.Read.All":
		return "c7fbd983-d9aa-4fa7-84b8-17382c103bc4"
	case "CallRecord-PstnCalls.Read.All":
		return "a2611786-80b3-417e-adaa-707d4261a5f0"
	case "GroupMember.ReadWrite.All":
		return "dbaae8cf-10b5-4b86-a4a1-f871c94c6695"
	case "Reports.Read.All":
		return "230c1aed-a721-4c5d-9cb4-a90514e508ef"
	}
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte("https://graph.microsoft.com/role/"+name)).String()
}

// needsAdmin says whether a delegated permission of Graph asks for an administrator's consent. Microsoft's rule of thumb:
// what reaches beyond the person's own data does; the exceptions are few.
func needsAdmin(name string) bool {
	switch name {
	case "User.ReadBasic.All", "Contacts.Read.Shared", "Files.Read.All", "Files.ReadWrite.All", "Sites.Read.All", "People.Read":
		return false
	}
	return strings.HasSuffix(name, ".All") || strings.HasPrefix(name, "Directory.") || strings.HasSuffix(name, ".Directory")
}

// describePermission words a permission for the consent page.
func describePermission(name string, application bool) permission {
	p := permission{Name: name, Title: titleOf(name)}
	switch {
	case p.Title == "":
		p.Title = guessTitle(name)
		fallthrough
	default:
		p.About = "The app may do this for you, and only what you may do yourself."
	}
	if application {
		p.About = "The app may do this by itself, with nobody signed in."
	}
	return p
}

func titleOf(name string) string {
	switch name {
	case "openid":
		return "Sign you in"
	case "profile":
		return "See your basic profile"
	case "email":
		return "See your e-mail address"
	case "offline_access":
		return "Keep the access you have given it"
	case "User.Read":
		return "Sign you in and read your profile"
	case "User.Read.All":
		return "Read the full profiles of all users"
	case "User.ReadWrite.All":
		return "Read and write the full profiles of all users"
	case "Directory.AccessAsUser.All":
		return "Work in the directory as you"
	case "RoleManagement.ReadWrite.Directory":
		return "Read and write the assignments of directory roles"
	case "RoleManagement.Read.All":
		return "Read all role assignments"
	case "Domain.ReadWrite.All":
		return "Read and write domains"
	case "CallRecords.Read.All":
		return "Read all call records"
	case "CallRecord-PstnCalls.Read.All":
		return "Read records of telephone calls"
	case "GroupMember.ReadWrite.All":
		return "Read and write all group memberships"
	case "TeamMember.Read.All":
		return "Read the members of all teams"
	case "Reports.Read.All":
		return "Read all usage reports"
	}
	return ""
}

// guessTitle reads a permission's name aloud: "Mail.ReadWrite.All" is "Read and write Mail (all)".
func guessTitle(name string) string {
	parts := strings.Split(name, ".")
	verb := "Use"
	if len(parts) > 1 {
		switch parts[1] {
		case "Read":
			verb = "Read"
		case "ReadWrite":
			verb = "Read and write"
		}
	}
	title := verb + " " + parts[0]
	if parts[len(parts)-1] == "All" {
		title += " (all)"
	}
	return title
}
