package api

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"

	"tcap.cloud/internal/base/access"
	"tcap.cloud/internal/base/clock"
	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/fault"
	"tcap.cloud/internal/door/web"
)

// maxIdempotencyKey is how long a key may be, in characters.
const maxIdempotencyKey = 255

// idempotency answers the repeat of a POST with the first answer.
//
// A row says "being done" before the handler runs and is completed with its answer afterwards. A process that dies between
// the two leaves a row that may be taken over after inFlightFor; the effect is not doubled then, for operations have
// subjects and rows are moved by compare-and-swap under unique indexes: the second attempt is refused or finds the first
// one's work. A 5xx is not kept, so that it can be tried again with the same key.
//
// What is kept is sealed under the presented API key (see vault), which the store does not have: an answer may hold what is
// shown once, such as the text of a new key.
type idempotency struct {
	db    *db.DB
	clock clock.Clock
	log   *slog.Logger
}

func (i *idempotency) once(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key := r.Header.Get("Idempotency-Key")
		if key == "" {
			next.ServeHTTP(w, r)
			return
		}
		if err := i.serve(w, r, key, next); err != nil {
			web.Fail(w, r, i.log, err)
		}
	})
}

// serve answers an error only while nothing is written.
func (i *idempotency) serve(w http.ResponseWriter, r *http.Request, key string, next http.Handler) error {
	if len([]rune(key)) > maxIdempotencyKey {
		return fault.New(fault.Invalid, "idempotency-key-too-long", "An Idempotency-Key has at most %d characters.", maxIdempotencyKey)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return fmt.Errorf("reading a body again: %w", err)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	presented, _ := r.Context().Value(presentedKey{}).(string)
	v, err := newVault(presented)
	if err != nil {
		return err
	}
	c := claim{keyID: access.From(r.Context()).ID, key: key, route: r.Method + " " + r.URL.RequestURI(), bodyHash: v.hash(body), at: i.clock.Now()}
	first, err := i.begin(r.Context(), c)
	if err != nil {
		return err
	}
	if first != nil {
		return replay(w, v, c, *first)
	}
	i.do(w, r, v, c, next)
	return nil
}

// do runs the handler. What is written down afterwards is so although the client may have gone: it will come again.
func (i *idempotency) do(w http.ResponseWriter, r *http.Request, v vault, c claim, next http.Handler) {
	ctx, kept := context.WithoutCancel(r.Context()), false
	defer func() {
		if kept {
			return
		}
		if err := i.release(ctx, c); err != nil {
			web.LogFailure(i.log, r, fmt.Errorf("letting go of an idempotency key: %w", err))
		}
	}()
	answer := newRecorded()
	next.ServeHTTP(answer, r)
	if answer.status < http.StatusInternalServerError {
		if err := i.complete(ctx, v, c, answer); err != nil {
			web.LogFailure(i.log, r, fmt.Errorf("keeping an answer: %w", err))
		}
		kept = true // or being done until it may be taken over: what was effected must not be let go
	}
	answer.sendTo(w)
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
	answer.sendTo(w)
	return nil
}
