package browser

import (
	"regexp"
	"strings"
	"testing"
	"time"
)

// accept goes through Microsoft's pages as its administrator does, from the sign-in to the page of ours that comes after.
func (b *tab) accept(who person) {
	b.t.Helper()
	b.write("User name", who.UPN)
	b.write("Password", who.Password)
	b.press("Sign in")
	b.says("Permissions requested")
	b.tap("Consent on behalf of your organization")
	b.becomesWithin(`location.origin === `+quoted(b.stage.portal)+` && document.readyState === "complete"`, 30*time.Second)
}

// newCustomer fills the form in and answers the path of the customer's page.
func (b *tab) newCustomer(name, tenantID string) string {
	b.t.Helper()
	b.visit("/customers")
	b.press("New customer")
	b.choose("Partner", "Contoso Voice")
	b.write("Name", name)
	b.write("Tenant id", tenantID)
	if status := b.press("Add customer"); status != 200 {
		b.t.Fatalf("adding the customer answers %d: %s", status, b.words())
	}
	path, _, _ := strings.Cut(b.path(), "?")
	if !regexp.MustCompile(`^/customers/[0-9a-f-]{36}$`).MatchString(path) {
		b.t.Fatalf("adding the customer leads to %s: %s", path, b.words())
	}
	return path
}

func TestAPersonConnectsANewCustomerInThePortal(t *testing.T) {
	s := open(t)
	t.Parallel()
	tenant, err := s.tenant("Fourth Coffee", 30, 41)
	if err != nil {
		t.Fatal(err)
	}
	b := s.as(t, "operator").tab(t)
	customer := b.newCustomer("Fourth Coffee", tenant.TenantID)
	b.says("Pending consent")
	b.press("Grant access")
	b.says("What we will make in your tenant")
	b.sound("Grant access", true)
	b.press("Continue to Microsoft")
	b.accept(tenant.GlobalAdmin)
	// The operation's page tells by itself how far it is, to the end; nothing is reloaded by hand.
	if !strings.HasPrefix(b.path(), "/operations/") {
		t.Errorf("Microsoft's reply leads to %s: %s", b.path(), b.words())
	}
	b.becomesWithin(`document.querySelector("main h1").parentElement.innerText.includes("Done")`, 40*time.Second)
	b.sound("the operation after it ended", true)
	b.visit(customer)
	b.becomesWithin(`document.querySelector("main").innerText.includes("of 30 users")`, 30*time.Second)
	b.sound("the connected customer", true)
	b.press("Users")
	b.becomesWithin(`document.querySelectorAll("main tbody tr").length === 30`, 10*time.Second)
	b.silent()
}

func TestAnAdministratorWhoCancelsIsToldThatNothingWasChanged(t *testing.T) {
	s := open(t)
	t.Parallel()
	tenant, err := s.tenant("Lucerne", 8, 42)
	if err != nil {
		t.Fatal(err)
	}
	b := s.as(t, "operator").tab(t)
	b.newCustomer("Lucerne", tenant.TenantID)
	b.press("Grant access")
	b.press("Continue to Microsoft")
	b.write("User name", tenant.GlobalAdmin.UPN)
	b.write("Password", tenant.GlobalAdmin.Password)
	b.press("Sign in")
	b.says("Permissions requested")
	b.tap("Cancel")
	b.becomesWithin(`location.origin === `+quoted(s.portal)+` && document.readyState === "complete"`, 30*time.Second)
	b.says("Access was not granted")
	b.says("othing was changed")
	b.forgive("the server responded with a status of 4")
	b.sound("the refusal", true)
}
