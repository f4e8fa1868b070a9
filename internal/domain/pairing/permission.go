package pairing

// Permission is one permission the application asks for, in words for the administrator who is to give it (S1.3).
type Permission struct {
	Value   string `json:"value"`
	Title   string `json:"title"`
	UsedFor string `json:"usedFor"`
	Never   string `json:"never"`
}

// HostedPermissions are exactly the delegated permissions that the hosted application asks for. Titles are those of
// Microsoft's consent page.
func HostedPermissions() []Permission {
	return []Permission{
		{"Directory.AccessAsUser.All", "Access directory as the signed in user",
			"While you are signed in here: to see that you are a Global Administrator and to give the application its two roles.",
			"We do not keep your sign-in; it is destroyed when the connection is made."},
		{"User.Read", "Sign in and read user profile", "To know who gave this consent, for your records and ours.", "We do not read your mail, files or calendar."},
		{"User.Read.All", "Read all users' full profiles", "To list the people who can be given a telephone number, with their licences.",
			"We do not read passwords, mail, files or chats."},
	}
}

// Role is one directory role the application is given in the tenant (S1.4).
type Role struct {
	TemplateID string `json:"templateId"`
	Name       string `json:"name"`
	UsedFor    string `json:"usedFor"`
}

// HostedRoles are the two roles that let the application act (facts/entra.md §1.5 for the template ids).
func HostedRoles() []Role {
	return []Role{
		{"69091246-20e8-4a56-aa4d-066075b2a7a8", "Teams Administrator", "To assign numbers, calling policies, call queues and auto attendants."},
		{"fe930be7-5e62-47db-91af-98c3a49a38b1", "User Administrator", "To read users and licences, and to look after the accounts behind call queues."},
	}
}

// globalAdministrator is the role that may give consent for the whole organisation and place roles.
const globalAdministrator = "62e90394-69f5-4237-9190-012177145e10"
