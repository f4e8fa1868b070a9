package ui

// Theme is the colour scheme asked for by the person: the value of the cookie
// named theme, drawn on <html data-theme> by the server so that no page
// flashes. Anything unknown counts as ThemeSystem.
type Theme string

// The three themes. ThemeSystem follows prefers-color-scheme.
const (
	ThemeSystem Theme = "system"
	ThemeLight  Theme = "light"
	ThemeDark   Theme = "dark"
)

// ThemeCookie is the name of the cookie that carries a Theme.
const ThemeCookie = "theme"

// ParseTheme reads the value of the theme cookie; unknown text is ThemeSystem.
func ParseTheme(s string) Theme {
	switch t := Theme(s); t {
	case ThemeLight, ThemeDark:
		return t
	default:
		return ThemeSystem
	}
}

// Link is a text that leads somewhere. An empty Href is drawn as plain text.
type Link struct {
	Text string
	Href string
}

// Section names an entry of the left navigation.
type Section string

// The sections of the portal, in the order of the navigation.
const (
	SectionHome      Section = "home"
	SectionCustomers Section = "customers"
	SectionNumbers   Section = "numbers"
	SectionCallFlows Section = "call-flows"
	SectionBilling   Section = "billing"
	SectionActivity  Section = "activity"
	SectionSettings  Section = "settings"
)

// NavItem is one entry of the left navigation; a handler lists only what the
// role may see.
type NavItem struct {
	Section Section
	Text    string
	Href    string
	Icon    Icon
}

// DefaultNav is the navigation of a person who may see every section.
func DefaultNav() []NavItem {
	return []NavItem{
		{SectionHome, "Home", "/", IconHome},
		{SectionCustomers, "Customers", "/customers", IconBuilding},
		{SectionNumbers, "Numbers", "/numbers", IconHash},
		{SectionActivity, "Activity", "/activity", IconActivity},
		{SectionSettings, "Settings", "/settings", IconSettings},
	}
}

// Viewer is the signed-in person as the top bar shows them.
type Viewer struct {
	Name string // as the person wrote it
	Mail string
	Role string // a word of the trade: "Partner agent"
}

// Running is the work under way that the viewer may see.
type Running struct {
	Count int
	Href  string // the list of these operations
}

// Brand is what an operator or partner may change of the look. Stylesheet is
// the address of a same-origin stylesheet made by [BrandCSS]; Class is the
// class it defines. Both empty: the product's own accent.
type Brand struct {
	Name       string
	LogoURL    string // same origin; empty shows the name alone
	Class      string
	Stylesheet string
}

// Toast is one short message of success; errors are never toasts, they stay
// on the page as [ProblemView].
type Toast struct {
	Text string
	Tone Tone
}

// Page is everything the frame around a page needs.
type Page struct {
	Title   string // of the document; the brand's name is added
	Section Section
	Nav     []NavItem // nil: DefaultNav
	Scope   []Link    // Fabrikam › Contoso Voice › Wingtip Toys
	Viewer  *Viewer   // nil: nobody is signed in
	Running Running
	Theme   Theme
	Brand   Brand
	Toasts  []Toast
	// Path is this page's own path and query; the theme form returns to it.
	Path string
	// Query is what is typed in the search field of the palette.
	Query string
	// Notice stays above every page, such as "One process: order, not protection".
	Notice *ProblemView
}

// navItems answers the navigation to draw.
func (p Page) navItems() []NavItem {
	if p.Nav == nil {
		return DefaultNav()
	}
	return p.Nav
}

// brandName answers the brand's name or the product's.
func (p Page) brandName() string {
	if p.Brand.Name == "" {
		return "TCAP"
	}
	return p.Brand.Name
}

// docTitle answers the text of <title>.
func (p Page) docTitle() string {
	if p.Title == "" {
		return p.brandName()
	}
	return p.Title + " · " + p.brandName()
}
