package control

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// browser asks the login service in this process, as a browser would over the network: cookies, redirects, forms.
type browser struct {
	ctx      context.Context
	login    http.Handler
	replyTo  string // the application's redirect URI: an address that begins with it is not the login service's
	cookies  map[string]string
	at       *url.URL // the page shown
	page     page
	location string // where the answer redirects to, "" when it is a page
}

func newBrowser(ctx context.Context, login http.Handler, start string) *browser {
	b := &browser{ctx: context.WithoutCancel(ctx), login: login, cookies: map[string]string{}}
	if u, err := url.Parse(start); err == nil {
		b.at, b.replyTo = u, u.Query().Get("redirect_uri")
	}
	return b
}

// leaves says whether an address is not the login service's.
func (b *browser) leaves(address string) bool {
	u, err := url.Parse(address)
	if err != nil || b.replyTo != "" && strings.HasPrefix(address, b.replyTo) {
		return true
	}
	return u.Host != b.at.Host
}

func (b *browser) get(address string) error {
	return b.send(http.MethodGet, address, "")
}

// submit posts the form with the hidden inputs it has and what was filled in.
func (b *browser) submit(f *form, filled map[string]string) error {
	values := url.Values{}
	for name, value := range f.hidden() {
		values.Set(name, value)
	}
	for name, value := range filled {
		values.Set(name, value)
	}
	if f.method == http.MethodGet {
		u, err := url.Parse(f.action)
		if err != nil {
			return fmt.Errorf("the form's address: %w", err)
		}
		u.RawQuery = values.Encode()
		return b.get(u.String())
	}
	return b.send(http.MethodPost, f.action, values.Encode())
}

func (b *browser) send(method, address, body string) error {
	r, err := http.NewRequestWithContext(b.ctx, method, address, strings.NewReader(body))
	if err != nil {
		return badRequest("%s is no address: %s.", address, err)
	}
	if r.URL.Scheme == "https" {
		r.TLS = &tls.ConnectionState{}
	}
	r.RequestURI, r.RemoteAddr = r.URL.RequestURI(), "127.0.0.1:0"
	r.Header.Set("Accept", "text/html")
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", b.at.Scheme+"://"+b.at.Host)
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	got := received{header: http.Header{}}
	b.login.ServeHTTP(&got, r)
	b.at = r.URL
	return b.show(&got)
}

// show takes in an answer: cookies, and a redirect or a page.
func (b *browser) show(got *received) error {
	for _, c := range (&http.Response{Header: got.header}).Cookies() {
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		} else {
			b.cookies[c.Name] = c.Value
		}
	}
	b.location = ""
	if location := got.header.Get("Location"); location != "" && got.status/100 == 3 {
		u, err := b.at.Parse(location)
		if err != nil {
			return fmt.Errorf("the redirect's address: %w", err)
		}
		b.location = u.String()
		return nil
	}
	if !strings.HasPrefix(got.header.Get("Content-Type"), "text/html") {
		return badRequest("The address is not a page of the login service; it answers %d %s.", got.status, strings.TrimSpace(got.body.String()))
	}
	var err error
	b.page, err = parsePage(&got.body, b.at)
	return err
}

// received is an answer taken in whole.
type received struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *received) Header() http.Header { return r.header }

func (r *received) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
}

func (r *received) Write(b []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(b)
}
