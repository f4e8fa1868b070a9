package api

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/door/web"
)

// grantAccess takes an empty object, or no body at all.
type grantAccess struct {
	ID   string `path:"id"`
	Body *struct{}
}

type confirmTenant struct {
	ID   string `path:"id"`
	Body struct {
		TenantID string `json:"tenantId" doc:"The candidate that the service card names"`
	}
}

// consent is how a tenant is connected: the link, Microsoft's reply, and the confirmation of a tenant nobody had named.
func (a *api) consent() {
	route := func(method, path, name, summary string) Route {
		return Route{Method: method, Path: path, Name: name, Tag: "connection", Summary: summary, Action: access.Connect}
	}
	register(a, route(http.MethodPost, "/services/{id}/grant-access", "grant-access",
		"A link that sends a Global Administrator of the customer to Microsoft, and what will be asked there"),
		func(ctx context.Context, in *grantAccess) (*answer[grantWire], error) {
			g, err := a.Pairings.GrantAccess(ctx, access.From(ctx), in.ID)
			if err != nil {
				return nil, err
			}
			return &answer[grantWire]{Body: wireGrant(g)}, nil
		})
	confirm := route(http.MethodPost, "/customers/{id}/tenant-confirmation", "confirm-tenant",
		"Bind the tenant whose administrator has consented, after a look at its name and domains")
	confirm.Status = http.StatusAccepted
	register(a, confirm, func(ctx context.Context, in *confirmTenant) (*effect, error) {
		id, err := a.Pairings.Confirm(ctx, access.From(ctx), in.ID, in.Body.TenantID)
		if err != nil {
			return nil, err
		}
		return a.begin(ctx, id)
	})
	for _, path := range web.Callbacks() {
		path = strings.TrimPrefix(path, base)
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			r := route(method, path, strings.ToLower(method)+"-"+strings.TrimPrefix(path, "/"), "Where Microsoft sends the administrator back to")
			r.Open, r.Action = true, ""
			raw(a, r, documentCallback, a.callback)
		}
	}
}

// callback takes what Microsoft sent an administrator back with: by a form it posts, or in the query. A GET of it uses the
// link up, so a HEAD, which scanners of links send and which ServeMux hands to GET, is refused.
func (a *api) callback(w http.ResponseWriter, r *http.Request) error {
	if r.Method == http.MethodHead {
		w.Header().Set("Allow", "GET, POST")
		w.WriteHeader(http.StatusMethodNotAllowed)
		return nil
	}
	form, err := reply(r)
	if err != nil {
		return a.refusedReply(w, r, err)
	}
	id, err := a.Pairings.Callback(r.Context(), form)
	switch {
	case err != nil:
		return a.refusedReply(w, r, err)
	case accepts(r, "application/json") && !accepts(r, "text/html"):
		w.Header().Set("Location", operationPath(id))
		return writeJSON(w, http.StatusAccepted, begunWire{OperationID: id})
	}
	w.Header().Set("Location", "/operations/"+id)
	w.WriteHeader(http.StatusSeeOther)
	return nil
}

// reply reads the form of a POST, the query of a GET, and never both.
func reply(r *http.Request) (url.Values, error) {
	if r.Method != http.MethodPost {
		return r.URL.Query(), nil
	}
	if err := r.ParseForm(); err != nil {
		return nil, fault.New(fault.Malformed, "consent-unreadable", "Microsoft's reply cannot be read; nothing was changed.").
			WithAction("grant-access", "Grant access", "Start again with Grant access on the service card.").Because(err)
	}
	return r.PostForm, nil
}

// refusedReply shows a person a page where there is one; anything else answers a problem.
func (a *api) refusedReply(w http.ResponseWriter, r *http.Request, err error) error {
	if a.RefusalPage == nil || !accepts(r, "text/html") {
		return err
	}
	web.LogFailure(a.log, r, err)
	f, ok := fault.Of(err)
	if !ok || f.Kind == fault.Internal {
		f = fault.New(fault.Internal, "internal", "Something went wrong on our side; quote %s to support.", web.Correlation(r.Context())).
			WithRemedy("Try again with Grant access on the service card.")
	}
	a.RefusalPage(w, r, f)
	return nil
}

// accepts says whether a media type is named in Accept. Wildcards name nothing.
func accepts(r *http.Request, media string) bool {
	for _, header := range r.Header.Values("Accept") {
		for part := range strings.SplitSeq(header, ",") {
			name, _, _ := strings.Cut(part, ";")
			if strings.EqualFold(strings.TrimSpace(name), media) {
				return true
			}
		}
	}
	return false
}

func documentCallback(op *huma.Operation) {
	op.Description = "No key is asked for: nothing is believed but a state that was given out here and is unused. A browser is led on to the " +
		"operation's page (303); Accept: application/json answers 202 and the operation's Location."
	op.Responses["202"] = &huma.Response{Description: "The operation that goes on, in Location"}
	op.Responses["303"] = &huma.Response{Description: "To the operation's page"}
	text := &huma.Schema{Type: huma.TypeString}
	names := []string{"state", "code", "error", "error_description"}
	if op.Method == http.MethodGet {
		for _, name := range names {
			op.Parameters = append(op.Parameters, &huma.Param{Name: name, In: "query", Schema: text})
		}
		return
	}
	form := &huma.Schema{Type: huma.TypeObject, Properties: map[string]*huma.Schema{}}
	for _, name := range names {
		form.Properties[name] = text
	}
	op.RequestBody = &huma.RequestBody{Content: map[string]*huma.MediaType{"application/x-www-form-urlencoded": {Schema: form}}}
}

// writeJSON is the answer of a route that writes itself.
func writeJSON(w http.ResponseWriter, status int, body any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(raw) // the client has gone; nobody is left to tell
	return nil
}
