package db_test

import (
	"context"
	"errors"
	"testing"

	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/db/dbtest"
)

func TestAMigratedStoreHasNothingPendingAndMigratesAgain(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n, err := d.Pending(context.Background())
		if err != nil || n != 0 {
			t.Fatalf("pending %d, %v", n, err)
		}
		if err := d.Migrate(context.Background(), nil); err != nil {
			t.Fatal(err)
		}
	})
}

func TestAWriteInsideAWriteIsRefused(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		err := d.Write(context.Background(), func(ctx context.Context, _ db.Tx) error {
			return d.Write(ctx, func(context.Context, db.Tx) error { return nil })
		})
		if !errors.Is(err, db.ErrNested) {
			t.Fatalf("got %v", err)
		}
	})
}

func TestAFailedWriteLeavesNothing(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		boom := errors.New("boom")
		err := d.Write(ctx, func(ctx context.Context, tx db.Tx) error {
			if _, err := tx.ExecContext(ctx, `INSERT INTO feed (at, topic, ref) VALUES (1, 'a', 'b')`); err != nil {
				return err
			}
			return boom
		})
		if !errors.Is(err, boom) {
			t.Fatalf("got %v", err)
		}
		var n int
		if err := d.R.QueryRowContext(ctx, `SELECT count(*) FROM feed`).Scan(&n); err != nil || n != 0 {
			t.Fatalf("%d lines, %v", n, err)
		}
	})
}

func TestAUniqueViolationIsRecognised(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		insert := func() error {
			return d.Write(context.Background(), func(ctx context.Context, tx db.Tx) error {
				_, err := tx.ExecContext(ctx, `INSERT INTO operator (id, name, brand, created_at, version) VALUES ('1', 'Fabrikam', '{}', 1, 1)`)
				return err
			})
		}
		if err := insert(); err != nil {
			t.Fatal(err)
		}
		if err := insert(); !d.IsUnique(err) {
			t.Fatalf("got %v", err)
		}
	})
}
