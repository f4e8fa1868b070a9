// Package idempotency answers the repeat of a request with the first answer (contracts/rest-api.md, "Manners";
// facts/anchors.md A7). It owns the table of the same name.
package idempotency

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"unicode/utf8"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/clock"
	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/door/web"
)

// Header names the key a client gives its request.
const Header = "Idempotency-Key"

// MaxKey is how long a key may be, in characters.
const MaxKey = 255

// Keeper keeps answers.
//
// A row says "being done" before the handler runs and is completed with its answer afterwards. A process that dies between
// the two leaves a row that may be taken over after inFlightFor, by the same request alone; the effect is not doubled then,
// for operations have subjects and rows are moved by compare-and-swap under unique indexes: the second attempt is refused or
// finds the first one's work. A 5xx is not kept, so that it can be tried again with the same key.
//
// What is kept is sealed under the presented API key (see vault), which the store does not have: an answer may hold what is
// shown once, such as the text of a new key.
type Keeper struct {
	db    *db.DB
	clock clock.Clock
	log   *slog.Logger
}

// New makes a keeper on a migrated store.
func New(d *db.DB, c clock.Clock, log *slog.Logger) *Keeper {
	return &Keeper{db: d, clock: c, log: log}
}

// Once does a request that carries a key at most once for each actor in its context (access.From). presented answers the API
// key that the caller has just proved to hold. The handler's answer is kept in memory while it is made, so it is no stream.
func (k *Keeper) Once(presented func(context.Context) string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key := r.Header.Get(Header)
		if key == "" {
			next.ServeHTTP(w, r)
			return
		}
		if err := k.serve(w, r, key, presented(r.Context()), next); err != nil {
			web.Fail(w, r, k.log, err)
		}
	})
}

// serve answers an error only while nothing is written.
func (k *Keeper) serve(w http.ResponseWriter, r *http.Request, key, presented string, next http.Handler) error {
	if len([]rune(key)) > MaxKey {
		return fault.New(fault.Invalid, "idempotency-key-too-long", "An Idempotency-Key has at most %d characters.", MaxKey)
	}
	if !utf8.ValidString(key) {
		return fault.New(fault.Invalid, "idempotency-key-not-utf8", "An Idempotency-Key must be UTF-8.")
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return fmt.Errorf("reading a body again: %w", err)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	v, err := newVault(presented)
	if err != nil {
		return err
	}
	c := claim{keyID: access.From(r.Context()).ID, key: key, route: r.Method + " " + r.URL.RequestURI(), bodyHash: v.hash(body), at: k.clock.Now()}
	first, err := k.begin(r.Context(), c)
	if err != nil {
		return err
	}
	if first != nil {
		return replay(w, v, c, *first)
	}
	k.do(w, r, v, c, next)
	return nil
}

// do runs the handler. What is written down afterwards is so although the client may have gone: it will come again.
func (k *Keeper) do(w http.ResponseWriter, r *http.Request, v vault, c claim, next http.Handler) {
	ctx, kept := context.WithoutCancel(r.Context()), false
	defer func() {
		if kept {
			return
		}
		if err := k.release(ctx, c); err != nil {
			web.LogFailure(k.log, r, fmt.Errorf("letting go of an idempotency key: %w", err))
		}
	}()
	answer := web.NewRecorded()
	next.ServeHTTP(answer, r)
	if answer.Status < http.StatusInternalServerError {
		if err := k.complete(ctx, v, c, answer); err != nil {
			web.LogFailure(k.log, r, fmt.Errorf("keeping an answer: %w", err))
		}
		kept = true // or being done until it may be taken over: what was effected must not be let go
	}
	answer.SendTo(w)
}

func replay(w http.ResponseWriter, v vault, c claim, first stored) error {
	if first.route != c.route || !bytes.Equal(first.bodyHash, c.bodyHash) {
		return fault.New(fault.Invalid, "idempotency-mismatch", "This Idempotency-Key was used for another request.").
			WithRemedy("Use a new key for a new request.")
	}
	if first.status == 0 {
		return fault.New(fault.Conflict, "idempotency-in-flight", "The request with this Idempotency-Key is still being done.").
			WithRemedy("Ask again in a moment, with the same key.")
	}
	answer, err := first.answer(v, c)
	if err != nil {
		return err
	}
	w.Header().Set("Idempotent-Replayed", "true")
	answer.SendTo(w)
	return nil
}
