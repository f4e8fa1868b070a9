package api

import (
	"encoding/json"
	"net/http"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"tcap.cloud/internal/door/web"
)

func (a *api) config() huma.Config {
	version := a.Version
	if version == "" {
		version = "1"
	}
	c := huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{Title: "tcap", Version: version,
				Description: "Control plane for operators that sell calling with Microsoft Teams. Errors are problem details (RFC 9457); " +
					"work in a tenant answers 202 and an operation."},
			Servers: []*huma.Server{{URL: base}},
			Components: &huma.Components{
				Schemas:         huma.NewMapRegistry("#/components/schemas/", schemaName),
				SecuritySchemes: map[string]*huma.SecurityScheme{"apiKey": {Type: "http", Scheme: "bearer", Description: "An API key."}},
			},
		},
		Formats:       map[string]huma.Format{"application/json": huma.DefaultJSONFormat, "json": huma.DefaultJSONFormat},
		DefaultFormat: "application/json",
		// A misspelt filter would answer everything, a misspelt dryRun would do it.
		RejectUnknownQueryParameters: true,
	}
	c.Transformers = []huma.Transformer{a.problems}
	return c
}

// schemaName leaves out that a type is one of the wire. A problem's remedy has no nulls, where a card's has.
func schemaName(t reflect.Type, hint string) string {
	if t == reflect.TypeFor[web.Remedy]() || t == reflect.TypeFor[*web.Remedy]() {
		return "ProblemRemedy"
	}
	return strings.ReplaceAll(huma.DefaultSchemaNamer(t, hint), "Wire", "")
}

// tidy takes out of the document what huma puts there for its own refusals, which are never sent, and says which objects
// may be null: of a reference huma cannot.
func (a *api) tidy() {
	registry := a.huma.OpenAPI().Components.Schemas
	delete(registry.Map(), "ErrorModel")
	delete(registry.Map(), "ErrorDetail")
	for name, schema := range registry.Map() {
		t := registry.TypeFromRef("#/components/schemas/" + name)
		if t == nil || t.Kind() != reflect.Struct {
			continue
		}
		for i := range t.NumField() {
			orNullObject(t.Field(i), schema)
		}
	}
}

func orNullObject(f reflect.StructField, schema *huma.Schema) {
	name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
	p := schema.Properties[name]
	if f.Type.Kind() != reflect.Pointer || p == nil || p.Ref == "" || strings.Contains(options, "omitempty") {
		return
	}
	schema.Properties[name] = &huma.Schema{OneOf: []*huma.Schema{{Ref: p.Ref}, {Type: "null"}}, Description: f.Tag.Get("doc")}
}

// document serves the OpenAPI document.
func (a *api) document(w http.ResponseWriter, r *http.Request) {
	b, err := json.Marshal(a.huma.OpenAPI())
	if err != nil {
		web.Fail(w, r, a.log, err)
		return
	}
	w.Header().Set("Content-Type", "application/vnd.oai.openapi+json;version=3.1")
	_, _ = w.Write(b) // the client has gone; nobody is left to tell
}
