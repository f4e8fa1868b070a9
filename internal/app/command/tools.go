package command

import (
	"context"
	"fmt"
	"os"

	"tcap.cloud/internal/app"
)

type sim struct {
	app.Sim `embed:""`
}

// Run serves the simulator until it is interrupted.
func (s sim) Run(ctx context.Context) error { return s.Sim.Run(ctx, os.Stderr) }

type migrate struct {
	Up     migrateUp     `cmd:"" help:"Bring the schema up to date."`
	Status migrateStatus `cmd:"" help:"Say what is missing."`
}

type store struct {
	DatabaseURL string `name:"database-url" default:"sqlite:tcap.db" help:"sqlite:PATH or postgres://…" placeholder:"URL"`
}

type migrateUp struct {
	store `embed:""`
}

// Run migrates.
func (m migrateUp) Run(ctx context.Context) error { return app.Migrate(ctx, m.DatabaseURL) }

type migrateStatus struct {
	store  `embed:""`
	Output string `short:"o" enum:"text,json" default:"text" help:"text or json"`
}

// Run says what is missing.
func (m migrateStatus) Run(ctx context.Context) error {
	n, err := app.Pending(ctx, m.DatabaseURL)
	if err != nil {
		return err
	}
	if m.Output == "json" {
		fmt.Printf("{\"pending\":%d}\n", n)
		return nil
	}
	fmt.Printf("%d migrations are pending\n", n)
	return nil
}

type key struct {
	New        keyNew        `cmd:"" help:"Make an identity for the worker and print its recipient for the web role."`
	Recipients keyRecipients `cmd:"" help:"Print the recipients of an identity."`
}

type identity struct {
	SealIdentityFile string `required:"" help:"The worker's private keys; mode 0600." type:"path"`
}

type keyNew struct {
	identity `embed:""`
}

// Run makes an identity; it never overwrites one.
func (k keyNew) Run() error {
	text, err := app.NewIdentity(k.SealIdentityFile)
	if err != nil {
		return err
	}
	fmt.Println(text)
	return nil
}

type keyRecipients struct {
	identity `embed:""`
}

// Run prints recipients.
func (k keyRecipients) Run() error {
	text, err := app.Recipients(k.SealIdentityFile)
	if err != nil {
		return err
	}
	fmt.Println(text)
	return nil
}

type audit struct {
	Verify auditVerify `cmd:"" help:"Prove the chain, or name the first entry that does not hold."`
}

type auditVerify struct {
	store `embed:""`
}

// Run proves the chain.
func (a auditVerify) Run(ctx context.Context) error {
	n, broken, err := app.VerifyAudit(ctx, a.DatabaseURL)
	if err != nil {
		return err
	}
	for _, b := range broken {
		fmt.Printf("chain %s, entry %d: %s\n", b.Chain, b.Seq, b.Why)
	}
	fmt.Printf("%d entries hold\n", n)
	if len(broken) > 0 {
		return fmt.Errorf("%d chains do not hold", len(broken))
	}
	return nil
}

type openapi struct{}

// Run prints the API document.
func (openapi) Run() error { return app.PrintOpenAPI(os.Stdout) }

type version struct {
	Output string `short:"o" enum:"text,json" default:"text" help:"text or json"`
}

// Run prints what this program is.
func (v version) Run() error { return app.PrintVersion(os.Stdout, v.Output == "json") }
