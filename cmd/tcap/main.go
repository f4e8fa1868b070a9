// Command tcap sells Microsoft Teams calling through partners to customers: portal, API, workers and, for demonstrations and
// tests, a Microsoft 365 of its own. `tcap --help` says what there is.
package main

import (
	"os"

	"tcap.cloud/internal/app/command"
)

func main() { os.Exit(command.Run(os.Args[1:])) }
