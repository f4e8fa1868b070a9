// Package command is the command line: what can be typed, what each setting is called, and how it ends.
package command

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"tcap.cloud/internal/app"
	"tcap.cloud/internal/base/config"
	"tcap.cloud/internal/base/telemetry"
)

type commandLine struct {
	Config string `help:"YAML file with settings; its keys are the names of flags." type:"path"`

	Demo    demo    `cmd:"" help:"Everything in one process with a sample operator and a simulated Microsoft 365. Example: tcap demo --data /tmp/demo"`
	Serve   serve   `cmd:"" help:"Portal, API and workers. Example: tcap serve --database-url postgres://… --migrate"`
	Sim     sim     `cmd:"" help:"The Microsoft 365 simulator alone. Example: tcap sim --listen 127.0.0.1:8443 --ca-dir ./ca"`
	Migrate migrate `cmd:"" help:"Database schema. Example: tcap migrate up"`
	Key     key     `cmd:"" help:"Sealing keys. Example: tcap key new --seal-identity-file identity"`
	Audit   audit   `cmd:"" help:"The audit chain. Example: tcap audit verify"`
	OpenAPI openapi `cmd:"" name:"openapi" help:"Print the API document. Example: tcap openapi > openapi.json"`
	Version version `cmd:"" help:"Print version, commit and Go. Example: tcap version -o json"`
}

// Exit codes (contracts/cli.md).
const (
	exitFailed = 1
	exitUsage  = 2
)

// Run does what a command line says and answers the exit code.
func Run(args []string) int {
	options := []kong.Option{kong.Name("tcap"), kong.Description("Teams calling under control."), kong.DefaultEnvars(config.EnvPrefix),
		kong.UsageOnError(), kong.Exit(os.Exit)}
	if path := config.Path(args); path != "" {
		file, err := config.Load(path)
		if err != nil {
			return usage(err)
		}
		options = append(options, kong.Resolvers(file))
	}
	var c commandLine
	parser, err := kong.New(&c, options...)
	if err != nil {
		return usage(err)
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		return usage(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	parsed.BindTo(ctx, (*context.Context)(nil))
	if err := parsed.Run(); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "tcap:", err)
		return exitFailed
	}
	return 0
}

func usage(err error) int {
	fmt.Fprintln(os.Stderr, "tcap:", err)
	return exitUsage
}

type demo struct {
	app.Demo `embed:""`
}

// Run serves the demo until it is interrupted. Its own few lines are for people; everything else is logged at --log-level.
func (d demo) Run(ctx context.Context) error {
	out, err := telemetry.Logger(os.Stderr, "info", true)
	if err != nil {
		return err
	}
	log, err := telemetry.Logger(os.Stderr, d.LogLevel, true)
	if err != nil {
		return err
	}
	return d.Demo.Run(ctx, out, log)
}

type serve struct {
	app.Settings `embed:""`
}

// Run serves until it is interrupted.
func (s serve) Run(ctx context.Context) error {
	log, err := telemetry.Logger(os.Stderr, s.LogLevel, false)
	if err != nil {
		return err
	}
	return app.Serve(ctx, s.Settings, log)
}
