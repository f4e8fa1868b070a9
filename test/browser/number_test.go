package browser

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// ends waits until the operation's page says by itself that all is done.
func (b *tab) ends() {
	b.t.Helper()
	b.becomesWithin(`location.pathname.startsWith("/operations/") && document.querySelector("main h1")?.parentElement.innerText.includes("Done")`, 40*time.Second)
}

func TestANumberIsGivenAndTakenByForm(t *testing.T) {
	s := open(t)
	t.Parallel()
	w := s.world(t)
	s.api.must(t, "POST", "/numbers/import", map[string]any{"customerId": w.wingtip, "serviceId": w.service, "numbers": []map[string]string{{"number": "+61255506001"}}}, nil)
	var people list
	s.api.must(t, "GET", "/customers/"+w.wingtip+"/users?status=not-allocated&limit=40", nil, &people)
	who := people.Items[len(people.Items)-1]
	b := s.as(t, "operator").tab(t)
	b.visit("/customers/" + w.wingtip + "/users?search=" + url.QueryEscape(who.UserPrincipalName))
	b.press(who.DisplayName)
	b.write("Number", "+61 2 5550 6001")
	b.press("Preview")
	b.says("What will be changed in the tenant")
	b.sound("the preview", true)
	b.press("Apply")
	b.ends()
	b.says("Give the number")
	b.sound("the operation", true)

	b.visit("/numbers/" + url.PathEscape("+61255506001"))
	b.says(who.DisplayName)
	b.press("Unassign")
	b.says("Take") // asked first
	b.sound("the question", true)
	b.press("Unassign")
	b.ends()
	b.visit("/numbers/" + url.PathEscape("+61255506001"))
	b.says("Free")
	b.silent()
}

func TestANumberThatIsHeldIsRefusedAtItsField(t *testing.T) {
	s := open(t)
	t.Parallel()
	w := s.world(t)
	b := s.as(t, "operator").tab(t)
	b.visit("/customers/" + w.wingtip + "/users/" + w.user.ID)
	b.write("Number", w.held)
	if status := b.press("Assign"); status < 400 {
		t.Fatalf("it answers %d: %s", status, b.words())
	}
	b.becomes(`[...document.querySelectorAll("main input")].some(i => i.value.replaceAll(" ", "") === ` + quoted(w.held) + `)`)
	b.forgive("the server responded with a status of 4")
	b.sound("the form again", true)
}

func TestAFileOfNumbersIsImportedLineByLine(t *testing.T) {
	s := open(t)
	t.Parallel()
	w := s.world(t)
	file := filepath.Join(t.TempDir(), "numbers.csv")
	lines := []string{"number,tags", "+61255507001,sales", "+61255507002,", "=1+1,", "+61255507001,twice"}
	if err := os.WriteFile(file, []byte(strings.Join(lines, "\r\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	b := s.as(t, "operator").tab(t)
	b.visit("/customers/" + w.wingtip + "/numbers")
	b.press("Import numbers")
	b.upload("CSV file", file)
	b.press("Import")
	b.says("=1+1")
	b.says("Download the 2 rejected lines")
	b.sound("the outcome of each line", true)
	var made list
	s.api.must(t, "GET", "/numbers?search=6125550700&limit=10", nil, &made)
	if len(made.Items) != 2 {
		t.Errorf("%d numbers are there, want 2: %+v", len(made.Items), made.Items)
	}
}

func TestNothingNeedsJavaScript(t *testing.T) {
	s := open(t)
	t.Parallel()
	w := s.world(t)
	var people list
	s.api.must(t, "GET", "/customers/"+w.wingtip+"/users?status=not-allocated&limit=40", nil, &people)
	who := people.Items[len(people.Items)-2]
	s.api.must(t, "POST", "/numbers/import", map[string]any{"customerId": w.wingtip, "serviceId": w.service, "numbers": []map[string]string{{"number": "+61255506002"}}}, nil)

	b := s.visitor(t).tab(t)
	b.withoutScript()
	b.visit("/customers")
	b.press("Come in as operator")
	if at := b.path(); at != "/customers" {
		t.Errorf("signing in leads to %s, not back to where it began", at)
	}
	if eval[bool](b, `document.documentElement.classList.contains("tc-js")`) {
		t.Fatal("JavaScript runs")
	}
	b.newCustomer("Coho Winery", "")
	b.says("Pending consent")
	b.visit("/search?q=coho")
	b.says("Coho Winery")

	b.visit("/customers/" + w.wingtip + "/users/" + who.ID)
	b.write("Number", "+61255506002")
	b.press("Assign")
	operation := b.path()
	if !strings.HasPrefix(operation, "/operations/") {
		t.Fatalf("assigning leads to %s: %s", operation, b.words())
	}
	if err := s.until(operation, "succeeded"); err != nil {
		t.Fatal(err)
	}
	b.visit(operation)
	b.says("Done")
	b.visit("/customers/" + w.wingtip + "/users/" + who.ID)
	b.says("5550 6002")
	b.silent()
}
