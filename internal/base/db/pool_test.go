package db_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/db/dbtest"
)

// Rooms look things up while they write (whose customer is this, what changed so far). As many writers at once as there are
// connections must not wait for one another's reading for ever.
func TestReadingInsideAWriteDoesNotStarveManyWriters(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		writers := 40
		if d.Name() == "sqlite" {
			writers = 4 // one at a time anyway
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		var all sync.WaitGroup
		for range writers {
			all.Go(func() {
				err := d.Write(ctx, func(ctx context.Context, tx db.Tx) error {
					var n int
					if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM customer`).Scan(&n); err != nil {
						return err
					}
					if d.Name() == "postgres" {
						time.Sleep(20 * time.Millisecond) // as a transaction with some statements takes: all hold a connection now
					}
					return d.R.QueryRowContext(ctx, `SELECT count(*) FROM partner`).Scan(&n)
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	})
}
