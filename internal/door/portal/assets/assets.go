// Package assets holds the portal's static files: one stylesheet, htmx with
// two extensions, the portal's own script and icon. They are built by web/
// and committed, so that the program needs Go alone.
//
// Every file is served under an address that carries a hash of its content,
// and may therefore be kept by a browser for ever.
package assets

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"
)

// Prefix is where [Handler] must be mounted.
const Prefix = "/static/"

//go:embed static
var embedded embed.FS

type file struct {
	name    string // as it is asked for by URL: app.css
	body    []byte
	hash    string // 16 hex digits of the SHA-256
	content string // media type
}

// files reads the embedded files once; embedded content cannot fail to be read
// once the program is built, so a failure here is a broken build.
var files = sync.OnceValue(func() map[string]file {
	out := map[string]file{}
	entries, err := fs.ReadDir(embedded, "static")
	if err != nil {
		panic("assets: reading the embedded files: " + err.Error()) //arch:allow panic a build without its own files cannot go on, and every test would say so
	}
	for _, e := range entries {
		body, err := embedded.ReadFile("static/" + e.Name())
		if err != nil {
			panic("assets: reading " + e.Name() + ": " + err.Error()) //arch:allow panic as above
		}
		sum := sha256.Sum256(body)
		out[e.Name()] = file{e.Name(), body, hex.EncodeToString(sum[:8]), mediaType(e.Name())}
	}
	return out
})

// mediaType answers the type by the name's ending, without asking the
// machine's own table, which differs from one system to the next.
func mediaType(name string) string {
	switch path.Ext(name) {
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".txt":
		return "text/plain; charset=utf-8"
	default:
		return mime.TypeByExtension(path.Ext(name))
	}
}

// URL answers the address of a file, such as /static/0f3a…/app.css. A name
// that does not exist is a mistake of the program; its address answers 404
// and a test looks for it.
func URL(name string) string {
	f, ok := files()[name]
	if !ok {
		return Prefix + "missing/" + name
	}
	return Prefix + f.hash + "/" + name
}

// Names lists the embedded files.
func Names() []string {
	var out []string
	for name := range files() {
		out = append(out, name)
	}
	return out
}

// Handler serves the files under [Prefix]. A right hash may be cached for
// ever; a wrong one is answered 404, because serving newer content under an
// older address would let a cache keep a mixture of two releases.
func Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "Only GET and HEAD are answered here.", http.StatusMethodNotAllowed)
			return
		}
		hash, name, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, Prefix), "/")
		f, ok := files()[name]
		if !ok || f.hash != hash {
			http.NotFound(w, r)
			return
		}
		h := w.Header()
		h.Set("Content-Type", f.content)
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
		h.Set("ETag", `"`+f.hash+`"`)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		http.ServeContent(w, r, f.name, time.Time{}, bytes.NewReader(f.body))
	})
}
