package api_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"tcap.cloud/internal/door/api"
)

func TestTheDocumentListsEveryRouteAndItsReferencesLead(t *testing.T) {
	s := sqlite(t)
	r := s.ask("", "GET", "/api/openapi.json", "")
	var doc struct {
		OpenAPI string
		Info    struct{ Title, Version string }
		Paths   map[string]map[string]struct {
			OperationID string
			Summary     string
			Responses   map[string]any
			Parameters  []struct{ Name, In string }
		}
		Components struct{ Schemas map[string]any }
	}
	s.must(json.Unmarshal([]byte(r.Body), &doc))
	if r.Status != 200 || doc.OpenAPI != "3.1.0" || doc.Info.Title == "" || doc.Info.Version != "0.0.0-test" {
		t.Errorf("%d %+v", r.Status, doc.Info)
	}
	listed := 0
	for _, methods := range doc.Paths {
		listed += len(methods)
	}
	for _, route := range api.Routes() {
		op, there := doc.Paths[route.Path][strings.ToLower(route.Method)]
		if !there || op.OperationID != route.Name || op.Summary == "" || len(op.Responses) < 2 {
			t.Errorf("%s %s: %v %+v", route.Method, route.Path, there, op)
		}
		for _, part := range strings.Split(route.Path, "/") {
			if name, ok := strings.CutPrefix(part, "{"); ok && !strings.Contains(fmt.Sprint(op.Parameters), "{"+strings.TrimSuffix(name, "}")+" path}") {
				t.Errorf("%s: the parameter %s is not described", route.Name, part)
			}
		}
	}
	if listed != len(api.Routes()) {
		t.Errorf("%d in the document, %d routes", listed, len(api.Routes()))
	}
	references(t, doc.Components.Schemas, r.Body)
	if _, there := doc.Components.Schemas["ErrorModel"]; there {
		t.Error("the document describes an error that is never sent")
	}
}

func references(t *testing.T, schemas map[string]any, text string) {
	t.Helper()
	for i, part := range strings.Split(text, `"$ref":"`) {
		if i == 0 {
			continue
		}
		name, ok := strings.CutPrefix(part[:strings.IndexByte(part, '"')], "#/components/schemas/")
		if _, there := schemas[name]; !ok || !there {
			t.Errorf("a reference leads nowhere: %.60s", part)
		}
	}
}

func TestThePageListsEveryRouteAndRunsNothing(t *testing.T) {
	s := sqlite(t)
	r := s.ask("", "GET", "/api/docs", "")
	if r.Status != 200 || !strings.HasPrefix(r.Header.Get("Content-Type"), "text/html") {
		t.Fatalf("%d %v", r.Status, r.Header)
	}
	for _, route := range api.Routes() {
		if !strings.Contains(r.Body, `id="`+route.Name+`"`) {
			t.Errorf("%s is not on the page", route.Name)
		}
	}
	for _, no := range []string{"<script", "style=", "http://", "https://"} {
		if strings.Contains(r.Body, no) {
			t.Errorf("the page holds %s", no)
		}
	}
	if css := s.ask("", "GET", "/api/docs/style.css", ""); css.Status != 200 || !strings.HasPrefix(css.Header.Get("Content-Type"), "text/css") {
		t.Errorf("style: %d", css.Status)
	}
}
