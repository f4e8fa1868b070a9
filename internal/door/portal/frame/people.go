package frame

import (
	"context"
	"strings"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/audit"
)

// Names are people's names by their id in the tenant. What a tenant is asked to change names people by id alone.
type Names map[string]string

// People answers the names of the users whom audit entries are about. One who is gone, or whom the person may not see, is
// left out; the entry is then told without a name.
func (f *Frame) People(ctx context.Context, who access.Actor, entries []audit.Entry) Names {
	names := Names{}
	for _, e := range entries {
		if e.CustomerID != "" {
			f.addPerson(ctx, who, names, e.CustomerID, e.TargetKind, e.TargetID)
		}
	}
	return names
}

// PeopleAt is People for changes in one customer's tenant: pairs of kind and key.
func (f *Frame) PeopleAt(ctx context.Context, who access.Actor, customerID string, targets [][2]string) Names {
	names := Names{}
	for _, t := range targets {
		f.addPerson(ctx, who, names, customerID, t[0], t[1])
	}
	return names
}

func (f *Frame) addPerson(ctx context.Context, who access.Actor, names Names, customerID, kind, key string) {
	id := personID(kind, key)
	if _, known := names[id]; id == "" || known || f.Directory == nil {
		return
	}
	u, err := f.Directory.User(ctx, who, customerID, id)
	switch {
	case err != nil:
		names[id] = ""
	case u.DisplayName == "":
		names[id] = u.UserPrincipalName
	default:
		names[id] = u.DisplayName
	}
}

// personID is the user in a change's key; empty for what is on nobody.
func personID(kind, key string) string {
	switch kind {
	case "user-number", "policy-grant":
		id, _, _ := strings.Cut(key, "|")
		return id
	default:
		return ""
	}
}

// Tell adds to the title of a change whom it is for: "Assign … to Ana Lopez". What stands after a semicolon stays behind.
func (n Names) Tell(kind, key, title string) string {
	name := n[personID(kind, key)]
	if name == "" || strings.Contains(title, name) {
		return title
	}
	head, tail, cut := strings.Cut(title, ";")
	word := " for "
	switch verb, _, _ := strings.Cut(head, " "); verb {
	case "Assign", "Grant":
		word = " to "
	case "Take":
		word = " from "
	}
	if cut {
		tail = ";" + tail
	}
	return head + word + name + tail
}
