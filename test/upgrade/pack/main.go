// Command pack copies a SQLite database into one small file, with what its write-ahead log still holds.
package main

import (
	"database/sql"
	"fmt"
	"os"

	_ "modernc.org/sqlite" // registers the driver
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: pack FROM TO")
		os.Exit(2)
	}
	if err := pack(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "pack:", err)
		os.Exit(1)
	}
}

func pack(from, to string) error {
	d, err := sql.Open("sqlite", from)
	if err != nil {
		return err
	}
	defer d.Close()
	_, err = d.Exec(`VACUUM INTO $1`, to)
	return err
}
