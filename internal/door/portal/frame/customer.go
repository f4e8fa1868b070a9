package frame

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"tcap.cloud/internal/domain/org"
	"tcap.cloud/internal/door/portal/ui"
)

// Tab is a part of a customer's page.
type Tab string

// The tabs of a customer.
const (
	TabServices Tab = "Services"
	TabUsers    Tab = "Users"
	TabNumbers  Tab = "Numbers"
	TabActivity Tab = "Activity"
	TabSettings Tab = "Settings"
)

// CustomerTabs are the parts of a customer's page; each has an address of its own.
func CustomerTabs(customerID string, current Tab) []ui.Tab {
	base := "/customers/" + customerID
	tabs := []ui.Tab{
		{Text: string(TabServices), Href: base}, {Text: string(TabUsers), Href: base + "/users"},
		{Text: string(TabNumbers), Href: "/numbers?customer=" + customerID}, {Text: string(TabActivity), Href: "/activity?customer=" + customerID},
		{Text: string(TabSettings), Href: base + "/settings"},
	}
	for i := range tabs {
		tabs[i].Current = tabs[i].Text == string(current)
	}
	return tabs
}

// About is the line under a customer's name, the same on each of its tabs: domain, cloud, partner.
func About(c org.Customer) string {
	parts := []string{}
	if c.PrimaryDomain != "" {
		parts = append(parts, c.PrimaryDomain)
	}
	parts = append(parts, CloudWords(c.Cloud)+" cloud")
	if c.PartnerName != "" {
		parts = append(parts, "Customer of "+c.PartnerName)
	}
	return strings.Join(parts, " · ")
}

// KindWords says a kind of service as people call it.
func KindWords(kind string) string {
	switch kind {
	case org.DirectRouting:
		return "Direct Routing"
	case org.OperatorConnect:
		return "Operator Connect"
	default:
		return kind
	}
}

// CloudWords says a cloud as Microsoft calls it.
func CloudWords(cloud string) string {
	words := map[string]string{org.CloudGlobal: "Commercial", org.CloudGCC: "GCC", org.CloudGCCHigh: "GCC High", org.CloudDoD: "DoD", org.CloudChina: "China (21Vianet)"}
	if w, ok := words[cloud]; ok {
		return w
	}
	return cloud
}

// SignInHost is the address of Microsoft's sign-in page for a cloud, as the browser will show it.
func (f *Frame) SignInHost(cloud string) string {
	host := publicSignIn()[0]
	switch cloud {
	case org.CloudGCCHigh, org.CloudDoD:
		host = publicSignIn()[1]
	case org.CloudChina:
		host = publicSignIn()[2]
	}
	u, err := url.Parse(f.Consent(host + "/"))
	if err != nil {
		return host
	}
	return u.Scheme + "://" + u.Host
}

// publicSignIn are Microsoft's sign-in hosts: worldwide, US Government, China operated by 21Vianet
// (learn.microsoft.com/entra/identity-platform/authentication-national-cloud).
func publicSignIn() []string {
	return []string{"https://login.microsoftonline.com", "https://login.microsoftonline.us", "https://login.partner.microsoftonline.cn"}
}

// Moment tells a time in a sentence: how long ago, and the exact one.
func (f *Frame) Moment(at time.Time) string {
	return ui.Ago(at, f.Now()) + " (" + at.UTC().Format("2 Jan, 15:04 UTC") + ")"
}

// Typed says whether the person typed the name that a deletion asks for.
func Typed(form Form, name string) bool {
	return strings.TrimSpace(form.Values.Get("confirm_name")) == strings.TrimSpace(name)
}

// Outside draws a page for a request that another door took, with the portal's headers and the person's session.
func (f *Frame) Outside(w http.ResponseWriter, r *http.Request, h Handler) {
	f.policy().Pages(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r, err := f.withSession(r)
		if err == nil {
			err = h(w, r)
		}
		if err != nil {
			f.Fail(w, r, err)
		}
	})).ServeHTTP(w, r)
}
