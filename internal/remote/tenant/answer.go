package tenant

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// refuse turns an answer that is not 2xx into a Refusal.
func (c *call) refuse(resp *Response) *Refusal {
	word, detail, requestID := readError(resp.Body)
	rule := classifyAnswer(resp.Status, word)
	r := &Refusal{
		Class: rule.class, Source: c.source(), Code: rule.code, Word: word, Status: resp.Status, Message: rule.title,
		Remedy: rule.remedy, RequestID: resp.RequestID, CorrelationID: c.correlation,
		RetryAfter: RetryAfter(resp.Header, c.door.now()), Maybe: c.write && mayBeDone(resp.Status),
	}
	if r.RequestID == "" {
		r.RequestID = requestID
	}
	if said := Scrub(detail); said != "" {
		r.Message += " (" + said + ")"
	}
	if c.session.delegated != nil && resp.Status == http.StatusUnauthorized {
		r.Class, r.Code = User, "sign-in-expired"
		r.Message, r.Remedy = "The sign-in has expired or was revoked", "The administrator signs in again."
	}
	return r.WithDetail(detail)
}

func (c *call) source() Source {
	if c.area == AreaTeams {
		return SourceTeams
	}
	return SourceGraph
}

// readError reads any of the shapes an error comes in: {"error":{"code","message","innerError":{"request-id"}}} (Graph; Teams
// sometimes), {"error":"…","error_description":"…"}, {"Message":"…"}, {"code","message"}, a bare string, or text that is no JSON
// (a gateway's page, of which nothing is kept). Names are matched in any case.
func readError(body []byte) (word, detail, requestID string) {
	var bare string
	if json.Unmarshal(body, &bare) == nil {
		return "", bare, ""
	}
	var outer struct {
		Error       json.RawMessage `json:"error"`
		Description string          `json:"error_description"`
		Code        looseText       `json:"code"`
		Message     string          `json:"message"`
	}
	if json.Unmarshal(body, &outer) != nil {
		return "", "", ""
	}
	var inner struct {
		Code       looseText `json:"code"`
		Message    string    `json:"message"`
		InnerError struct {
			RequestID string `json:"request-id"`
		} `json:"innerError"`
	}
	if json.Unmarshal(outer.Error, &inner) == nil {
		return string(inner.Code), inner.Message, inner.InnerError.RequestID
	}
	if json.Unmarshal(outer.Error, &bare) == nil {
		return bare, outer.Description, ""
	}
	return string(outer.Code), outer.Message, ""
}

// looseText takes a JSON string or number: Teams answers codes as either.
type looseText string

// UnmarshalJSON takes what is there.
func (t *looseText) UnmarshalJSON(b []byte) error {
	*t = looseText(strings.Trim(string(b), `"`))
	if *t == "null" {
		*t = ""
	}
	return nil
}

// longestRetryAfter is the longest wait that is believed; a service that says more is asked again after this.
const longestRetryAfter = time.Hour

// RetryAfter reads the header of that name: seconds, seconds with a fraction (Graph's guidance page shows 2.128), or an HTTP date.
// It is never negative and at most an hour; 0 when it is absent or unreadable.
func RetryAfter(h http.Header, now time.Time) time.Duration {
	value := strings.TrimSpace(h.Get("Retry-After"))
	if value == "" {
		return 0
	}
	if seconds, err := strconv.ParseFloat(value, 64); err == nil {
		if !(seconds > 0) { // also what is not a number
			return 0
		}
		return time.Duration(min(seconds, longestRetryAfter.Seconds()) * float64(time.Second))
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), longestRetryAfter)
}
