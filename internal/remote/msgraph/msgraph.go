// Package msgraph reads and writes Microsoft Graph v1.0 through a tenant's door: plain typed calls, one file for each resource, no
// words of the trade and no decisions. Contracts: the OpenAPI documents and contracts/README.md (Manners).
//
// Decoding is tolerant: what is not known is passed over, what is null is the zero value.
package msgraph

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strings"

	"tcap.cloud/internal/remote/tenant"
)

// Reader reads Graph.
type Reader struct{ session *tenant.Session }

// NewReader reads through the session.
func NewReader(s *tenant.Session) *Reader { return &Reader{session: s} }

// Writer writes Graph. After a refusal that says Maybe, read before writing again.
type Writer struct {
	door *tenant.Writer
	// Reader reads through the same session.
	*Reader
}

// NewWriter writes through the writer.
func NewWriter(w *tenant.Writer) *Writer { return &Writer{door: w, Reader: NewReader(w.Session())} }

const version = "/v1.0"

func (r *Reader) get(ctx context.Context, op, path string, query url.Values, into any) error {
	resp, err := r.session.Do(ctx, tenant.AreaGraph, &tenant.Request{Op: op, Path: versioned(path), Query: query})
	if err != nil {
		return err
	}
	return decode(op, resp.Body, into)
}

func (w *Writer) send(ctx context.Context, op, method, path string, body, into any) error {
	resp, err := w.door.Do(ctx, tenant.AreaGraph, &tenant.Request{Op: op, Method: method, Path: version + path, JSON: body})
	if err != nil || into == nil || len(resp.Body) == 0 {
		return err
	}
	return decode(op, resp.Body, into)
}

// versioned puts the version before a path and leaves a link that Graph answered alone.
func versioned(path string) string {
	if strings.HasPrefix(path, "/") {
		return version + path
	}
	return path
}

// decode keeps the parser's text out of the error: it may quote what it read.
func decode(op string, body []byte, into any) error {
	if json.Unmarshal(body, into) != nil {
		return fmt.Errorf("%s: Graph's answer is not the JSON it should be", op)
	}
	return nil
}

// collection is one page of any list.
type collection[T any] struct {
	Value     []T    `json:"value"`
	NextLink  string `json:"@odata.nextLink"`
	DeltaLink string `json:"@odata.deltaLink"`
}

// pages walks a list, following each next link as it is, also after an empty page.
func pages[T any](ctx context.Context, r *Reader, op, path string, query url.Values, h http.Header) iter.Seq2[collection[T], error] {
	return func(yield func(collection[T], error) bool) {
		for path != "" {
			resp, err := r.session.Do(ctx, tenant.AreaGraph, &tenant.Request{Op: op, Path: versioned(path), Query: query, Header: h})
			var page collection[T]
			if err == nil {
				err = decode(op, resp.Body, &page)
			}
			if !yield(page, err) || err != nil {
				return
			}
			path, query = page.NextLink, nil
		}
	}
}

// all reads every page of a short list.
func all[T any](ctx context.Context, r *Reader, op, path string, query url.Values) ([]T, error) {
	var items []T
	for page, err := range pages[T](ctx, r, op, path, query, nil) {
		if err != nil {
			return nil, err
		}
		items = append(items, page.Value...)
	}
	return items, nil
}

func selecting(fields ...string) url.Values {
	return url.Values{"$select": {strings.Join(fields, ",")}}
}

// quoted is a string as OData writes it.
func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

func segment(s string) string { return url.PathEscape(s) }
