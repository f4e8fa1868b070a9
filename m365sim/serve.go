package m365sim

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// shutdownGrace is how long calls in hand may take when a server is told to stop.
const shutdownGrace = 3 * time.Second

// Serve serves HTTPS on l until ctx ends, then returns nil. Without Options.BaseURL the listener's address becomes the one
// that issuers name for callers over plain HTTP.
func (s *Simulator) Serve(ctx context.Context, l net.Listener) error {
	if s.base.Load() == nil {
		base := "https://" + reachable(l.Addr())
		s.base.CompareAndSwap(nil, &base)
	}
	return s.serve(ctx, tls.NewListener(l, s.TLSConfig()))
}

// ServePages serves the same over plain HTTP, for people's browsers on the same machine: they need not trust the authority.
// Issuers still name the HTTPS address.
func (s *Simulator) ServePages(ctx context.Context, l net.Listener) error { return s.serve(ctx, l) }

func (s *Simulator) serve(ctx context.Context, l net.Listener) error {
	server := &http.Server{
		Handler: s, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		BaseContext: func(net.Listener) context.Context { return ctx }, // held calls end when ctx does
		ErrorLog:    slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(stopped)
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownGrace)
		defer cancel()
		if err := server.Shutdown(grace); err != nil {
			s.log.Warn("calls in hand were cut", "error", err)
			_ = server.Close()
		}
	})
	err := server.Serve(l)
	if stop() || !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving on %s: %w", l.Addr(), err)
	}
	<-stopped
	return nil
}

// reachable is the address a client on this machine uses for a listener.
func reachable(a net.Addr) string {
	host, port, err := net.SplitHostPort(a.String())
	if err != nil {
		return a.String()
	}
	if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}
