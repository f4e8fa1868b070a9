package ui

import (
	"sort"
	"time"
)

// The gallery's data: the demo's names, no real company or person.

func statePtr(s State) *State { return &s }

func familyNames() []string {
	var names []string
	for name := range Known() {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

func galleryPage(theme Theme) Page {
	return Page{
		Title: "Wingtip Toys", Section: SectionCustomers, Theme: theme, Path: "/gallery",
		Scope:   []Link{{"Fabrikam", "/"}, {"Contoso Voice", "/partners/contoso"}, {"Wingtip Toys", "/customers/wingtip"}},
		Viewer:  &Viewer{Name: "Support Agent", Mail: "agent@contoso.example", Role: "Partner agent"},
		Running: Running{Count: 3, Href: "/operations?state=running"},
		Brand:   Brand{Name: "Contoso Voice"},
	}
}

func galleryProblem() ProblemView {
	return ProblemView{
		Happened: "The number could not be given to Ana.",
		Means:    "+61 2 5550 0001 is held by Reception at Litware. Nothing was changed.",
		Do:       "Take the next free number, or release this one first.",
		Actions:  Join(Button(Btn{Text: "Use +61 2 5550 0002", Small: true}), LinkButton("Open Reception", "/numbers/61255500001", Quiet)),
		Code:     "number-held", CorrelationID: "01JD8Q2M7V6K4T9C3X5B",
	}
}

func galleryActive() ServiceCardView {
	small := func(text string) Btn { return Btn{Text: text, Small: true} }
	return ServiceCardView{
		ID: "card-dr", Name: "Direct Routing", State: ServiceState("active"),
		Sentence: "Calls work. 214 of 250 users have a number.",
		Facts: []CardFact{
			{Label: "Synced", Value: "3 min ago · 2 changed", Action: Button(small("Resync"))},
			{Label: "App", Value: "hosted (TCAP)", Action: Button(small("Migrate"))},
			{Label: "SBC", Value: "wingtip.sbc.example, domain active", Link: "/customers/wingtip/activation"},
			{Label: "Holds", Value: "2 roles, 3 permissions", Action: Button(small("Check"))},
		},
		Folds: []Fold{
			{Title: "What it can do", Body: PermissionList(galleryPermissions())},
			{Title: "What was made in the tenant", Body: KeyValues([]Pair{{Key: "Domain", Text: "wingtip.sbc.example"}, {Key: "Voice routes", Text: "2"}})},
		},
	}
}

func gallerySuspended() ServiceCardView {
	return ServiceCardView{
		ID: "card-suspended", Name: "Direct Routing", State: ServiceState("suspended"),
		Sentence: "Calls are off since today 09:14 (emergency calls work).",
		Facts: []CardFact{
			{Label: "Why", Value: "The TCAP app was deleted in the tenant."},
			{Label: "Who", Value: "A Global Administrator of tailspin.com"},
		},
		Actions: Join(Button(Btn{Text: "Grant access", Variant: Primary}), Button(Btn{Text: "Send link"})),
		Footer:  "Next check in 6 h · 3 of 3 failures",
		Code:    "AADSTS7000215", CorrelationID: "01JD8Q2M7V6K4T9C3X5A",
	}
}

func galleryFilters() Filters {
	return Filters{
		Action: "/customers/wingtip/users", Label: "Search users", Value: "", Clear: "/customers/wingtip/users", Live: "#users",
		Chips: []Chip{
			{Text: "No number", Href: "?number=none", On: true, Count: "36"},
			{Text: "Not licensed", Href: "?status=not-licensed", Count: "12"},
			{Text: "Can't call out", Href: "?callout=no"},
			{Text: "Changed outside", Href: "?drift=yes", Count: "2"},
		},
		Extra: Join(Button(Btn{Text: "Upload CSV", Icon: IconUpload}), Button(Btn{Text: "Assign from range", Icon: IconHash})),
	}
}

func galleryTable() Table {
	user := func(name, upn, number, status, sub, policy string) Row {
		state := UserState(status)
		return Row{Select: upn, SelectLabel: "Select " + name, Cells: []Cell{
			{Text: name, Sub: upn, Href: "/customers/wingtip/users/" + upn},
			{Text: number, Mono: true}, {State: &state, Sub: sub}, {Text: policy}, {Text: "AU-NSW"}, {Text: "Yes"},
		}}
	}
	return Table{
		ID: "users", Caption: "Users of Wingtip Toys", Selectable: true,
		Columns: []Column{
			{Title: "Name", Sort: "?sort=-name", Sorted: "ascending"}, {Title: "Number", Sort: "?sort=number"},
			{Title: "Status"}, {Title: "Voice policy"}, {Title: "Dial plan"}, {Title: "Managed by TCAP"},
		},
		Rows: []Row{
			user("Ana Lopez", "ana@wingtip.example", "+61 2 5550 0001", "allocated", "", "Wingtip-National"),
			user("Front desk", "desk@wingtip.example", "+61 2 5550 0002", "allocated", "", "Wingtip-National"),
			user("Warehouse phone", "warehouse@wingtip.example", "—", "not-licensed", "Has Microsoft 365 E3, needs Teams Phone", "—"),
			user("Meeting room 4", "room4@wingtip.example", "—", "not-allocated", "", "Wingtip-International"),
		},
	}
}

func galleryStats() []Stat {
	return []Stat{
		{Label: "Customers", Value: "42", Note: "40 are well", Href: "/customers"},
		{Label: "Suspended", Value: "1", Note: "since 09:14", Href: "/customers?status=suspended", Tone: ToneBad, Icon: IconStop},
		{Label: "Free numbers", Value: "1,204", Note: "of 10,000", Href: "/numbers?state=free"},
		{Label: "Users with a number", Value: "8,412", Href: "/users?number=any"},
		{Label: "Work running", Value: "3", Href: "/operations?state=running", Tone: ToneInfo, Icon: IconSpinner},
	}
}

func gallerySteps() []Step {
	return []Step{
		{Name: "Reserve numbers", State: OperationState("succeeded"), Took: 240 * time.Millisecond},
		{Name: "Write to Microsoft", State: OperationState("running"), Detail: "214 of 312 written", Took: 80 * time.Second},
		{Name: "Check with Microsoft", State: OperationState("waiting"), Detail: "Asked 3 times; next in 20 s"},
		{Name: "Warehouse phone", State: OperationState("failed"), Detail: "Needs Teams Phone. Nothing was changed for this user."},
		{Name: "Tell the webhooks", State: OperationState("queued")},
	}
}

func galleryEvents() []Event {
	return []Event{
		{At: galleryNow.Add(-3 * time.Minute), Icon: IconPhone, Tone: ToneGood, Title: "Number assigned to Ana Lopez", Href: "/activity/3", Who: "Support Agent", Why: "portal", Before: "", After: "+61 2 5550 0001"},
		{At: galleryNow.Add(-48 * time.Minute), Icon: IconStop, Tone: ToneBad, Title: "Calls switched off", Who: "TCAP", Why: "the app was deleted in the tenant", Before: "Degraded", After: "Suspended"},
		{At: galleryNow.Add(-26 * time.Hour), Icon: IconKey, Title: "Access granted", Who: "A Global Administrator of wingtip.com", Why: "onboarding link"},
	}
}

func galleryPermissions() []Permission {
	return []Permission{
		{Name: "Read users and licences", Use: "We show who can be given a number.", Never: "We never read mail, files or chats."},
		{Name: "Manage Teams calling", Use: "We give numbers, policies and dial plans to the people you name.", Never: "We never change other Teams settings."},
		{Name: "Add one domain", Use: "Microsoft needs wingtip.sbc.example to route your calls.", Never: "We never touch your own domains."},
	}
}

func galleryConfirm() Confirm {
	return Confirm{
		ID: "disconnect", Title: "Disconnect Wingtip Toys?", Action: "/customers/wingtip/disconnect", Danger: true, TypeName: "Wingtip Toys",
		Text:   "214 people lose their number at once. Two roles, one domain and two voice routes are taken out of the tenant. Emergency calls stop too.",
		Button: "Disconnect Wingtip Toys", Hidden: []Pair{{Key: "version", Text: "7"}},
	}
}
