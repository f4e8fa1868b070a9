// Package teamsadmin reads and writes the Teams administration REST API, the one behind Microsoft's PowerShell module, through a
// tenant's door. Microsoft documents the cmdlets and not this API: contracts are facts/teams-admin.md A, F and J, where each fact has
// its source. What no source proves is in wire_numbers.go.
//
// Names are decoded in any case (J0). A 2xx is no proof that a write landed: read back.
package teamsadmin

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"tcap.cloud/internal/remote/tenant"
)

// caller is a session or a writer.
type caller interface {
	Do(context.Context, tenant.Area, *tenant.Request) (*tenant.Response, error)
}

// Reader reads the Teams administration API. Make one for each session; it finds the tenant's service once and keeps it.
type Reader struct {
	session *tenant.Session

	mu        sync.Mutex
	discovery *Discovery
}

// NewReader reads through the session.
func NewReader(s *tenant.Session) *Reader { return &Reader{session: s} }

// Writer writes the Teams administration API. After a refusal that says Maybe, read before writing again.
type Writer struct {
	door *tenant.Writer
	// Reader reads through the same session.
	*Reader
}

// NewWriter writes through the writer.
func NewWriter(w *tenant.Writer) *Writer { return &Writer{door: w, Reader: NewReader(w.Session())} }

// Discovery says where in Microsoft's service the tenant lives (A0).
type Discovery struct {
	ConfigAPIEndpoint    string
	AdminServiceEndpoint string
	Forest               string
}

// ServiceDiscovery asks where the tenant lives, each time anew.
func (r *Reader) ServiceDiscovery(ctx context.Context) (Discovery, error) {
	resp, err := do(ctx, r.session, &tenant.Request{Op: "teams.discovery", Path: "/Teams.Tenant/serviceDiscovery", Header: commonHeader("")})
	if err != nil {
		return Discovery{}, err
	}
	var body struct {
		Endpoints struct{ ConfigAPIEndpoint, AdminServiceEndpoint string }
		Headers   map[string]string
	}
	if err := decode("teams.discovery", resp.Body, &body); err != nil {
		return Discovery{}, err
	}
	d := Discovery{ConfigAPIEndpoint: body.Endpoints.ConfigAPIEndpoint, AdminServiceEndpoint: body.Endpoints.AdminServiceEndpoint}
	for name, value := range body.Headers {
		if strings.EqualFold(name, "X-MS-Forest") {
			d.Forest = value
		}
	}
	return d, nil
}

// found is the tenant's service, asked for once. A tenant whose service does not answer the question (404) is called without: ordinary
// calls are known to work so (A0).
func (r *Reader) found(ctx context.Context) (Discovery, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.discovery != nil {
		return *r.discovery, nil
	}
	d, err := r.ServiceDiscovery(ctx)
	if err != nil && tenant.ClassOf(err) != tenant.NotFound {
		return Discovery{}, fmt.Errorf("finding the tenant's service: %w", err)
	}
	r.discovery = &d
	return d, nil
}

// call sends one request with the headers that the service wants.
func (r *Reader) call(ctx context.Context, through caller, cmdlet string, req *tenant.Request) (*tenant.Response, error) {
	d, err := r.found(ctx)
	if err != nil {
		return nil, err
	}
	req.Header = commonHeader(cmdlet)
	if d.AdminServiceEndpoint != "" {
		req.Header.Set("X-MS-Target-Uri", "https://"+strings.Trim(strings.TrimPrefix(d.AdminServiceEndpoint, "https://"), "/")+"/")
	}
	if d.Forest != "" {
		req.Header.Set("X-MS-Forest", d.Forest)
	}
	return do(ctx, through, req)
}

func do(ctx context.Context, through caller, req *tenant.Request) (*tenant.Response, error) {
	resp, err := through.Do(ctx, tenant.AreaTeams, req)
	return resp, explain(err)
}

func (r *Reader) get(ctx context.Context, op, cmdlet, path string, query url.Values, into any) error {
	resp, err := r.call(ctx, r.session, cmdlet, &tenant.Request{Op: op, Path: path, Query: query})
	if err != nil {
		return err
	}
	return decode(op, resp.Body, into)
}

func commonHeader(cmdlet string) http.Header {
	h := http.Header{}
	h.Set("x-authz-scope", "tenant")
	h.Set("X-Requested-With", "XMLHttpRequest")
	if cmdlet != "" {
		h.Set("X-MS-CmdletName", cmdlet)
	}
	return h
}

// decode keeps the parser's text out of the error: it may quote what it read.
func decode(op string, body []byte, into any) error {
	if json.Unmarshal(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")), into) != nil {
		return fmt.Errorf("%s: the answer is not the JSON it should be", op)
	}
	return nil
}

// list is the rows of an answer in whichever form they come: a bare array, or an object with the array under one of the names, or
// under any name when none of them is there (F: lists are wrapped in a named property; "unwrap tolerantly").
func list[T any](op string, body []byte, names ...string) (rows []T, next string, err error) {
	body = bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")))
	if len(body) == 0 || bytes.Equal(body, []byte("null")) {
		return nil, "", nil
	}
	if body[0] == '[' {
		return rows, "", decode(op, body, &rows)
	}
	var wrapped map[string]json.RawMessage
	if err := decode(op, body, &wrapped); err != nil {
		return nil, "", err
	}
	array, ok := arrayIn(wrapped, names)
	if !ok {
		return nil, "", fmt.Errorf("%s: the answer holds no list", op)
	}
	return rows, nextIn(wrapped), decode(op, array, &rows)
}

func arrayIn(wrapped map[string]json.RawMessage, names []string) (json.RawMessage, bool) {
	var any json.RawMessage
	for name, value := range wrapped {
		value = bytes.TrimSpace(value)
		if len(value) == 0 || value[0] != '[' {
			continue
		}
		for _, wanted := range names {
			if strings.EqualFold(name, wanted) {
				return value, true
			}
		}
		any = value
	}
	return any, any != nil
}

// nextIn is a link or token to the next page, under any of the names that Microsoft's services use.
func nextIn(wrapped map[string]json.RawMessage) string {
	for name, value := range wrapped {
		switch strings.ToLower(name) {
		case "@odata.nextlink", "nextlink", "skiptoken", "continuationtoken":
			var text string
			if json.Unmarshal(value, &text) == nil && text != "" {
				return text
			}
		}
	}
	return ""
}

// warningHeader is how the service says what the module shows as a warning (A0).
const warningHeader = "X-Ms-ConfigApi-PowerShell-WarningMessage"

// warnings are what the service has to say about something that it did: in the header, or as a bare string for a body (J1: "non-empty
// text is shown as a WARNING"). They may hold the tenant's data: for its people, not for the log.
func warnings(resp *tenant.Response) []string {
	var texts []string
	for _, text := range resp.Header.Values(warningHeader) {
		if text = strings.TrimSpace(text); text != "" {
			texts = append(texts, text)
		}
	}
	var bare string
	if json.Unmarshal(resp.Body, &bare) == nil && strings.TrimSpace(bare) != "" {
		texts = append(texts, strings.TrimSpace(bare))
	}
	return texts
}
