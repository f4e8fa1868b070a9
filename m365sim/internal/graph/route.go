package graph

import (
	"net/http"
	"net/url"
	"strings"
)

// route is one operation: how its path looks, who may call it, what it costs, what it does.
type route struct {
	method     string
	pattern    []string // "{}" takes any segment, "key={}" an alternate key
	access     access
	units      int
	globalOnly bool // missing in the national clouds (facts/teams-admin.md A5)
	do         func(*call) (answer, error)
}

// routes lists what is modelled; the first match wins. Units: contracts/README.md, Throttling.
func routes(o Options) []route {
	at := func(method, path string, units int, a access, do func(*call) (answer, error)) route {
		return route{method: method, pattern: strings.Split(path, "/"), access: a, units: units, do: do}
	}
	get, post, patch, del := http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodDelete
	all := []route{
		at(get, "organization", 1, readOrganization(), (*call).listOrganization),
		at(get, "organization/{}", 1, readOrganization(), (*call).getOrganization),
		at(get, "domains", 1, readDomains(), (*call).listDomains),
		at(get, "domains/{}", 1, readDomains(), (*call).getDomain),
		at(get, "users/delta", 2, readUsersFully(), (*call).deltaUsers),
		at(get, "users/$count", 2, readUsers(), (*call).countUsers),
		at(get, "users", 2, readUsers(), (*call).listUsers),
		at(post, "users", 1, writeUsers(), (*call).createUser),
		at(get, "users/{}", 2, readUsers(), (*call).getUser),
		at(patch, "users/{}", 1, writeUsers(), (*call).patchUser),
		at(del, "users/{}", 1, deleteUsers(), (*call).deleteUser),
		at(get, "users/{}/licenseDetails", 2, readLicences(), (*call).licenceDetails),
		at(post, "users/{}/assignLicense", 1, writeLicences(), (*call).assignLicence),
		at(get, "subscribedSkus", 3, readSKUs(), (*call).listSKUs),
		at(get, "subscribedSkus/{}", 3, readSKUs(), (*call).getSKU),
		at(get, "me", 2, readMe(), (*call).me),
		at(get, "me/memberOf", 1, readMe(), (*call).myRoles),
		at(get, "me/memberOf/microsoft.graph.directoryRole", 1, readMe(), (*call).myRoles),
		at(get, "me/transitiveMemberOf", 1, readMe(), (*call).myRoles),
		at(get, "me/transitiveMemberOf/microsoft.graph.directoryRole", 1, readMe(), (*call).myRoles),
		at(get, "servicePrincipals", 1, readPrincipals(), (*call).listPrincipals),
		at(get, "servicePrincipals/{}", 1, readPrincipals(), (*call).getPrincipal),
		at(patch, "servicePrincipals/{}", 1, writePrincipals(), (*call).patchPrincipal),
		at(del, "servicePrincipals/{}", 1, writePrincipals(), (*call).deletePrincipal),
		at(get, "servicePrincipals/{}/appRoleAssignments", 2, readAppRoles(), (*call).listAppRoles),
		at(get, "servicePrincipals/{}/oauth2PermissionGrants", 1, readGrants(), (*call).listPrincipalGrants),
		at(get, "oauth2PermissionGrants", 2, readGrants(), (*call).listGrants),
		at(get, "directoryRoles", 1, readRoles(), (*call).listDirectoryRoles),
		at(get, "directoryRoles/{}", 1, readRoles(), (*call).getDirectoryRole),
		at(get, "directoryRoles/{}/members", 1, readRoles(), (*call).listRoleMembers),
		at(post, "directoryRoles/{}/members/$ref", 1, writeRoles(true), (*call).addRoleMember),
		at(get, "roleManagement/directory/roleDefinitions", 1, readRoles(), (*call).listRoleDefinitions),
		at(get, "roleManagement/directory/roleDefinitions/{}", 1, readRoles(), (*call).getRoleDefinition),
		at(get, "roleManagement/directory/roleAssignments", 1, readRoles(), (*call).listRoleAssignments),
		at(post, "roleManagement/directory/roleAssignments", 1, writeRoles(!o.StrictRoleAssignments), (*call).createRoleAssignment),
		at(get, "roleManagement/directory/roleAssignments/{}", 1, readRoles(), (*call).getRoleAssignment),
		at(del, "roleManagement/directory/roleAssignments/{}", 1, writeRoles(!o.StrictRoleAssignments), (*call).deleteRoleAssignment),
		at(post, "$batch", 0, anyone(), (*call).batch),
	}
	const numbers = "admin/teams/telephoneNumberManagement"
	for _, rt := range []route{
		at(get, numbers+"/numberAssignments", 0, readNumbers(), (*call).listNumbers),
		at(get, numbers+"/numberAssignments/{}", 0, readNumbers(), (*call).getNumber),
		at(post, numbers+"/numberAssignments/assignNumber", 0, writeNumbers(), (*call).assignNumber),
		at(post, numbers+"/numberAssignments/unassignNumber", 0, writeNumbers(), (*call).unassignNumber),
		at(get, numbers+"/operations/{}", 0, readNumbers(), (*call).getOperation),
	} {
		rt.globalOnly = true
		all = append(all, rt)
	}
	return all
}

func (s *service) match(method string, segments []string) (route, []string, bool) {
	for _, rt := range s.routes {
		if rt.method != method {
			continue
		}
		if args, fits := fit(rt.pattern, segments); fits {
			return rt, args, true
		}
	}
	return route{}, nil, false
}

// fit compares without regard to letter case, as Graph does.
func fit(pattern, segments []string) ([]string, bool) {
	if len(pattern) != len(segments) {
		return nil, false
	}
	var args []string
	for i, p := range pattern {
		switch {
		case p == "{}" && segments[i] != "":
			args = append(args, segments[i])
		case !strings.EqualFold(p, segments[i]):
			return nil, false
		}
	}
	return args, true
}

// split takes the API version off a path and brings OData's spellings to one form: name('id') becomes name/id,
// name(key='v') becomes name/key=v, name() becomes name, and an action loses its namespace.
func split(escaped string) (version string, segments []string) {
	parts := strings.Split(strings.Trim(escaped, "/"), "/")
	if parts[0] != "v1.0" && parts[0] != "beta" {
		return "", nil
	}
	for _, raw := range parts[1:] {
		segment, err := url.PathUnescape(raw)
		if err != nil {
			return "", nil
		}
		segments = append(segments, plain(segment)...)
	}
	return parts[0], segments
}

func plain(segment string) []string {
	segment = strings.TrimPrefix(segment, "microsoft.graph.teamsAdministration.")
	if i := strings.Index(segment, "("); i > 0 && strings.HasSuffix(segment, ")") {
		name, inside := segment[:i], segment[i+1:len(segment)-1]
		if inside == "" {
			return []string{strings.TrimPrefix(name, "microsoft.graph.")}
		}
		if key, value, keyed := strings.Cut(inside, "="); keyed && !strings.HasPrefix(inside, "'") {
			return []string{name, key + "=" + unquote(value)}
		}
		return []string{name, unquote(inside)}
	}
	if key, value, keyed := strings.Cut(segment, "="); keyed && strings.HasPrefix(value, "'") {
		return []string{key + "=" + unquote(value)}
	}
	return []string{segment}
}

// unquote takes off the quotes of an OData string; a doubled quote inside is one.
func unquote(s string) string {
	if len(s) >= 2 && s[0] == '\'' && s[len(s)-1] == '\'' {
		s = s[1 : len(s)-1]
	}
	return strings.ReplaceAll(s, "''", "'")
}

// keyed reads an argument that is either an object id or an alternate key; wanted is the key's name.
func keyed(arg, wanted string) (value string, isKey bool) {
	name, value, has := strings.Cut(arg, "=")
	if has && strings.EqualFold(name, wanted) {
		return value, true
	}
	return arg, false
}
