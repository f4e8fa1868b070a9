package entra

import (
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"tcap.cloud/internal/remote/tenant"
)

const maxErrorBody = 64 << 10

// errorBody is facts/entra.md §2.1.
type errorBody struct {
	Error         string `json:"error"`
	Suberror      string `json:"suberror"`
	Description   string `json:"error_description"`
	Codes         []int  `json:"error_codes"`
	TraceID       string `json:"trace_id"`
	CorrelationID string `json:"correlation_id"`
}

// decodeAnswer turns an answer of Entra ID into a refusal. The body may be HTML or nothing: then the status speaks.
func decodeAnswer(resp *http.Response, now time.Time, interactive bool) *tenant.Refusal {
	var body errorBody
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
	if err == nil && json.Unmarshal(raw, &body) != nil {
		body = errorBody{}
	}
	r := refusal(body, resp.StatusCode, interactive)
	r.RetryAfter = tenant.RetryAfter(resp.Header, now)
	return r
}

func refusal(body errorBody, status int, interactive bool) *tenant.Refusal {
	rule := tenant.ClassifySignIn(body.Codes, body.Error, status)
	r := &tenant.Refusal{
		Class: rule.For(interactive), Source: tenant.SourceEntra, Code: rule.Code, Word: body.Error, Codes: body.Codes, Status: status,
		Message: rule.Title, Remedy: rule.Remedy, RequestID: body.TraceID, CorrelationID: body.CorrelationID,
	}
	if body.Suberror != "" {
		r.Word += "/" + body.Suberror
	}
	return r.WithDetail(body.Description)
}

var aadsts = regexp.MustCompile(`AADSTS(\d{4,9})`)

// RedirectRefusal is the refusal in a reply that came through the browser (`error`, `error_description`), where Microsoft gives no list
// of numbers: the text is all there is. nil when `error` is absent. Ask this first: a failed admin consent also carries
// `admin_consent=True` (facts/entra.md §1.1). Both values come from a stranger; nothing of them is in the refusal's message.
func RedirectRefusal(word, description string) *tenant.Refusal {
	if word == "" {
		return nil
	}
	if len(description) > maxErrorBody {
		description = description[:maxErrorBody]
	}
	body := errorBody{Error: knownWord(word), Description: description}
	for _, m := range aadsts.FindAllStringSubmatch(description, 8) {
		if code, err := strconv.Atoi(m[1]); err == nil {
			body.Codes = append(body.Codes, code)
		}
	}
	return refusal(body, 0, true)
}

// knownWord keeps a word of the protocol's alphabet and drops anything else.
func knownWord(word string) string {
	if len(word) > 64 || strings.Trim(word, "abcdefghijklmnopqrstuvwxyz_") != "" {
		return "unreadable"
	}
	return word
}
