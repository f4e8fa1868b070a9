package graph

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
)

const maxBatch = 20

type batchRequest struct {
	ID        string            `json:"id"`
	Method    string            `json:"method"`
	URL       string            `json:"url"`
	Headers   map[string]string `json:"headers"`
	Body      json.RawMessage   `json:"body"`
	DependsOn []string          `json:"dependsOn"`
}

// batch runs the inner requests one after the other; each succeeds or fails by itself, and one that depends on a failed
// one answers 424 (contracts/README.md, $batch).
func (c *call) batch() (answer, error) {
	var body struct {
		Requests []batchRequest `json:"requests"`
	}
	if err := c.read(&body); err != nil {
		return answer{}, err
	}
	if len(body.Requests) > maxBatch {
		return answer{}, refuse(http.StatusBadRequest, "BadRequest", "Number of batch request steps exceeds the maximum value of 20.")
	}
	status := map[string]int{}
	responses := []map[string]any{}
	for _, q := range body.Requests {
		if _, twice := status[q.ID]; q.ID == "" || twice {
			return answer{}, refuse(http.StatusBadRequest, "BadRequest", "Every request of a batch needs an id of its own.")
		}
		response := c.inner(q, status)
		status[q.ID] = response["status"].(int)
		responses = append(responses, response)
	}
	return ok(map[string]any{"responses": responses})
}

func (c *call) inner(q batchRequest, earlier map[string]int) map[string]any {
	for _, id := range q.DependsOn {
		if s, ran := earlier[id]; !ran || s >= 400 {
			return map[string]any{"id": q.ID, "status": http.StatusFailedDependency, "headers": map[string]string{},
				"body": map[string]any{"error": map[string]any{"code": "FailedDependency", "message": "A request this one depends on has failed."}}}
		}
	}
	r, err := c.unpack(q)
	if err != nil {
		return map[string]any{"id": q.ID, "status": http.StatusBadRequest, "body": map[string]any{"error": map[string]any{"code": "BadRequest", "message": "Invalid batch request: " + err.Error()}}}
	}
	w := &recorder{header: http.Header{}, status: http.StatusOK}
	c.service.ServeHTTP(w, r)
	headers := map[string]string{}
	for name := range w.Header() {
		headers[name] = w.Header().Get(name)
	}
	return map[string]any{"id": q.ID, "status": w.status, "headers": headers, "body": packed(w)}
}

// unpack makes an HTTP request of an inner one; its address is relative to the API version. A batch in a batch has no
// route here, so that it answers 501.
func (c *call) unpack(q batchRequest) (*http.Request, error) {
	version := c.root[strings.LastIndex(c.root, "/"):]
	u, err := url.Parse(version + "/" + strings.TrimPrefix(q.URL, "/"))
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(c.ctx, strings.ToUpper(q.Method), u.String(), bytes.NewReader(q.Body))
	if err != nil {
		return nil, err
	}
	for name, value := range q.Headers {
		r.Header.Set(name, value)
	}
	r.Header.Set("Authorization", c.r.Header.Get("Authorization"))
	if strings.Contains(strings.ToLower(q.URL), "$batch") {
		r.Method = "NESTED"
	}
	return r, nil
}

// packed is the inner body: JSON as it is, anything else as base64, as $batch does.
func packed(w *recorder) any {
	switch raw := w.body.Bytes(); {
	case len(raw) == 0:
		return nil
	case json.Valid(raw):
		return json.RawMessage(raw)
	default:
		return base64.StdEncoding.EncodeToString(raw)
	}
}

// recorder keeps an inner answer.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(b []byte) (int, error) { return r.body.Write(b) }
