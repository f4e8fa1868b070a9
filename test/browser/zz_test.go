package browser
import ("testing";"time";"net/url";"net/http";"io";"context")
func TestZZ(t *testing.T) {
	s := open(t)
	w := s.world(t)
	v := s.as(t, "operator")
	b := v.tab(t)
	s.api.must(t, "POST", "/numbers/import", map[string]any{"customerId": w.wingtip, "serviceId": w.service, "numbers": []map[string]string{{"number": "+61255506001"}}}, nil)
	b.visit("/customers/" + w.wingtip + "/users?search=" + url.QueryEscape(w.user.UserPrincipalName))
	b.press(w.user.DisplayName)
	b.write("Number", "+61 2 5550 6001")
	b.press("Preview")
	b.press("Apply")
	time.Sleep(3*time.Second)
	b.noted.mu.Lock()
	for id, u := range b.noted.asked { t.Log(id, u) }
	b.noted.mu.Unlock()
	t.Log(b.words()[:80])
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	for _, p := range []string{b.path(), "/operations/"+w.brake} {
	req, _ := http.NewRequestWithContext(ctx, "GET", s.portal+p+"/events", nil)
	req.Header.Set("Cookie", v.cookies(t))
	res, err := http.DefaultClient.Do(req)
	if err != nil { t.Log(err); continue }
	raw, err := io.ReadAll(res.Body)
	t.Logf("%d %v %v %.700s", res.StatusCode, res.Header, err, raw)
	}
}
