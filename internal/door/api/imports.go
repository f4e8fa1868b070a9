package api

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/domain/number"
	"tcap.cloud/internal/door/web"
)

// importWire is an import as JSON; a file of CSV has the first three in its query.
type importWire struct {
	CustomerID string       `json:"customerId"`
	ServiceID  string       `json:"serviceId" required:"false"`
	NumberType string       `json:"numberType" required:"false" enum:"direct-routing,operator-connect" doc:"Needed only without a service"`
	Numbers    []importLine `json:"numbers" minItems:"1"`
}

type importLine struct {
	Number   string   `json:"number" doc:"E.164, or national with a country"`
	Country  string   `json:"country" required:"false" doc:"ISO 3166-1 alpha-2"`
	Type     string   `json:"type" required:"false"`
	Tags     []string `json:"tags" required:"false"`
	CallerID string   `json:"callerId" required:"false"`
}

// importedWire has one outcome for each line.
type importedWire struct {
	Items    []outcomeWire `json:"items"`
	Created  int           `json:"created"`
	Exists   int           `json:"exists"`
	Rejected int           `json:"rejected"`
}

type outcomeWire struct {
	Line    int      `json:"line" doc:"From 1; a file's header counts"`
	Number  string   `json:"number"`
	Outcome string   `json:"outcome" enum:"created,exists,rejected"`
	Error   *whyWire `json:"error"`
}

func (a *api) imports() {
	raw(a, Route{Method: http.MethodPost, Path: "/numbers/import", Name: "import-numbers", Tag: "numbers", Action: access.Assign, Body: importBody,
		Summary: "Put numbers into a customer's inventory, one outcome for each line; over 1,000 lines as an operation"}, a.documentImport, a.importNumbers)
}

func (a *api) importNumbers(w http.ResponseWriter, r *http.Request) error {
	req, err := a.importRequest(r)
	if err != nil {
		return err
	}
	result, err := a.Numbers.Import(r.Context(), access.From(r.Context()), req)
	if err != nil {
		return err
	}
	if result.OperationID == "" {
		return writeJSON(w, http.StatusOK, wireImported(result))
	}
	begun, err := a.begin(r.Context(), result.OperationID)
	if err != nil {
		return err
	}
	w.Header().Set("Location", begun.Location)
	return writeJSON(w, begun.Status, begun.Body)
}

func wireImported(r number.ImportResult) importedWire {
	out := importedWire{Items: make([]outcomeWire, 0, len(r.Items)), Created: r.Created, Exists: r.Exists, Rejected: r.Rejected}
	for _, o := range r.Items {
		out.Items = append(out.Items, outcomeWire{Line: o.Line, Number: o.Number, Outcome: o.Outcome, Error: wireWhy(o.Error)})
	}
	return out
}

// importRequest reads either kind of body.
func (a *api) importRequest(r *http.Request) (number.ImportRequest, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return number.ImportRequest{}, fmt.Errorf("reading a body again: %w", err)
	}
	media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	charset := strings.ToLower(params["charset"])
	switch {
	case r.Header.Get("Content-Type") == "" || (err == nil && media == "application/json"):
		return a.importJSON(r.URL.Query(), body)
	case err == nil && media == "text/csv" && (charset == "" || charset == "utf-8" || charset == "us-ascii"):
		return importCSV(r.URL.Query(), body)
	}
	return number.ImportRequest{}, unsupported(r.Context())
}

func unsupported(ctx context.Context) error {
	return &web.Problem{Type: "about:blank", Title: http.StatusText(http.StatusUnsupportedMediaType), Status: http.StatusUnsupportedMediaType,
		Code: "unsupported-media-type", Detail: "This address does not take that kind of body.", Instance: web.Correlation(ctx),
		Remedy: &web.Remedy{Text: "Send application/json, or text/csv in UTF-8."}}
}

// importJSON checks the body against its schema, as every other body is checked by the framework.
func (a *api) importJSON(query url.Values, body []byte) (number.ImportRequest, error) {
	if err := onlyQuery(query); err != nil {
		return number.ImportRequest{}, err
	}
	var parsed any
	if err := json.Unmarshal(body, &parsed); err != nil {
		return number.ImportRequest{}, fault.New(fault.Malformed, "malformed-body", "The body is no JSON, or there is none.")
	}
	path, found := huma.NewPathBuffer(nil, 0), &huma.ValidateResult{}
	path.Push("body")
	huma.Validate(a.huma.OpenAPI().Components.Schemas, a.importSchema(), path, huma.ModeWriteToServer, parsed, found)
	if len(found.Errors) > 0 {
		return number.ImportRequest{}, invalid(fieldsFound(found.Errors))
	}
	var in importWire
	if err := json.Unmarshal(body, &in); err != nil {
		return number.ImportRequest{}, fault.New(fault.Invalid, "validation", "The body does not fit what this address takes.").Because(err)
	}
	req := number.ImportRequest{CustomerID: in.CustomerID, ServiceID: in.ServiceID, NumberType: in.NumberType, Lines: make([]number.Line, len(in.Numbers))}
	for i, n := range in.Numbers {
		req.Lines[i] = number.Line{Line: i + 1, Number: n.Number, Country: n.Country, Type: n.Type, Tags: n.Tags, CallerID: n.CallerID}
	}
	return req, nil
}

func fieldsFound(found []error) []fault.Field {
	m := &huma.ErrorModel{}
	for _, err := range found {
		m.Add(err)
	}
	return fieldsOf(m)
}

func importCSV(query url.Values, body []byte) (number.ImportRequest, error) {
	if err := onlyQuery(query, "customerId", "serviceId", "numberType"); err != nil {
		return number.ImportRequest{}, err
	}
	req := number.ImportRequest{CustomerID: query.Get("customerId"), ServiceID: query.Get("serviceId"), NumberType: query.Get("numberType")}
	if req.CustomerID == "" {
		return req, invalid([]fault.Field{{Path: "query.customerId", Code: "required", Detail: "a file of CSV names the customer in the query"}})
	}
	var err error
	if req.Lines, err = number.ParseCSV(bytes.NewReader(body)); err != nil {
		return req, atLine(err, body)
	}
	return req, nil
}

// atLine names the line at which a file cannot be read, where that is known.
func atLine(err error, body []byte) error {
	f, ok := fault.Of(err)
	if !ok || len(f.Fields) > 0 {
		return err
	}
	line := 0
	var p *csv.ParseError
	switch {
	case errors.As(err, &p):
		line = p.Line
	case !utf8.Valid(body):
		for text := range bytes.Lines(body) {
			line++
			if !utf8.Valid(text) {
				break
			}
		}
	case f.Kind == fault.TooLarge:
		line = number.MaxLines + 1
	}
	if line == 0 {
		return err
	}
	return f.WithFields(fault.Field{Path: fmt.Sprintf("line %d", line), Code: f.Code, Detail: f.Detail})
}

// onlyQuery refuses parameters nobody knows, as the framework does elsewhere.
func onlyQuery(query url.Values, known ...string) error {
	var bad []fault.Field
	for name := range query {
		ok := false
		for _, k := range known {
			ok = ok || k == name
		}
		if !ok {
			bad = append(bad, fault.Field{Path: "query." + name, Code: "unknown-field", Detail: "unknown query parameter"})
		}
	}
	if len(bad) == 0 {
		return nil
	}
	return invalid(bad)
}

func (a *api) importSchema() *huma.Schema {
	return a.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[importWire](), true, "Import")
}

func (a *api) documentImport(op *huma.Operation) {
	schemas, text := a.huma.OpenAPI().Components.Schemas, &huma.Schema{Type: huma.TypeString}
	for _, name := range []string{"customerId", "serviceId", "numberType"} {
		op.Parameters = append(op.Parameters, &huma.Param{Name: name, In: "query", Description: "Of a file of CSV", Schema: text})
	}
	op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		"application/json": {Schema: a.importSchema()},
		"text/csv":         {Schema: &huma.Schema{Type: huma.TypeString, Description: "Columns number, country, type, tags and callerId; without a header, the number alone."}},
	}}
	op.Responses["200"] = &huma.Response{Description: "One outcome for each line", Content: map[string]*huma.MediaType{
		"application/json": {Schema: schemas.Schema(reflect.TypeFor[importedWire](), true, "Imported")}}}
	op.Responses["202"] = &huma.Response{Description: "More than 1,000 lines: the operation, whose lines have the outcomes", Content: map[string]*huma.MediaType{
		"application/json": {Schema: startedWire{}.Schema(schemas)}}}
}
