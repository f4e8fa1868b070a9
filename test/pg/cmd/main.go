// Command cmd starts a throw-away PostgreSQL, prints its URL and keeps it until it is interrupted. With the URL in
// TCAP_TEST_POSTGRES, `go test` in another shell uses this server instead of starting one for each package.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"tcap.cloud/test/pg"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "pg:", err)
		os.Exit(1)
	}
}

func run() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	server, err := pg.Launch(ctx)
	if err != nil {
		return err
	}
	fmt.Println(server.URL)
	<-ctx.Done()
	return server.Stop()
}
