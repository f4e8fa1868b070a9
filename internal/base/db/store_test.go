package db_test

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tcap.cloud/internal/base/db"
	"tcap.cloud/internal/base/db/dbtest"
	"tcap.cloud/test/pg"
)

func TestLikeFindsExactlyWhatHoldsTheText(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		texts := rapid.StringMatching(`[0-9%_\\\[\]*?^-]{0,6}`)
		rapid.Check(t, func(t *rapid.T) {
			whole, part := texts.Draw(t, "whole"), texts.Draw(t, "part")
			if rapid.Bool().Draw(t, "inside") {
				whole = texts.Draw(t, "left") + part + whole
			}
			var n int
			err := d.R.QueryRowContext(context.Background(), `SELECT count(*) FROM (SELECT CAST($1 AS TEXT) AS v) AS r WHERE v LIKE $2 ESCAPE '\'`, whole, db.Like(part)).Scan(&n)
			if err != nil {
				t.Fatal(err)
			}
			if (n == 1) != strings.Contains(whole, part) {
				t.Fatalf("%q in %q: found %d", part, whole, n)
			}
		})
	})
}

func TestTimesAndTextsComeBackAsTheyWere(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		at := time.Date(2026, 5, 1, 9, 0, 0, 123456000, time.UTC)
		for _, want := range []time.Time{at, {}} {
			var got sql.NullInt64
			if err := d.R.QueryRowContext(t.Context(), `SELECT CAST($1 AS BIGINT)`, db.Micros(want)).Scan(&got); err != nil || !db.Time(got).Equal(want) {
				t.Errorf("%v came back as %v, %v", want, db.Time(got), err)
			}
		}
		for _, want := range []string{"x", ""} {
			var got sql.NullString
			if err := d.R.QueryRowContext(t.Context(), `SELECT CAST($1 AS TEXT)`, db.Null(want)).Scan(&got); err != nil || got.String != want || got.Valid != (want != "") {
				t.Errorf("%q came back as %+v, %v", want, got, err)
			}
		}
	})
}

func TestACompareAndSwapThatMissesIsStale(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		stale := errors.New("somebody else was first")
		err := d.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
			for range 2 {
				if _, err := tx.ExecContext(ctx, `INSERT INTO feed (at, topic, ref) VALUES (1, 'a', 'b')`); err != nil {
					return err
				}
			}
			for want, cond := range map[string]string{"none": "topic = 'x'", "both": "topic = 'a'"} {
				res, err := tx.ExecContext(ctx, `UPDATE feed SET ref = 'c' WHERE `+cond)
				if err := db.Changed(res, err, stale); !errors.Is(err, stale) {
					t.Errorf("%s: %v", want, err)
				}
			}
			res, err := tx.ExecContext(ctx, `UPDATE feed SET ref = 'c' WHERE seq = (SELECT min(seq) FROM feed)`)
			return db.Changed(res, err, stale)
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

// Two writes that lock the same two rows in opposite order: PostgreSQL ends one of them with 40P01, and it goes again.
func TestADeadlockIsTriedAgain(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t, pg.Start(t))
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	row := func(ref string) func(ctx context.Context, tx db.Tx) error {
		return func(ctx context.Context, tx db.Tx) error {
			_, err := tx.ExecContext(ctx, `UPDATE feed SET at = at + 1 WHERE ref = $1`, ref)
			return err
		}
	}
	if _, err := d.Writer().ExecContext(ctx, `INSERT INTO feed (at, topic, ref) VALUES (0, 't', 'a'), (0, 't', 'b')`); err != nil {
		t.Fatal(err)
	}
	var runs atomic.Int32
	var wg, both sync.WaitGroup
	both.Add(2) // each has its first row before either asks for its second
	for _, order := range [][2]string{{"a", "b"}, {"b", "a"}} {
		wg.Go(func() {
			first := true
			err := d.Write(ctx, func(ctx context.Context, tx db.Tx) error {
				runs.Add(1)
				if err := row(order[0])(ctx, tx); err != nil {
					return err
				}
				if first {
					first = false
					both.Done()
					both.Wait()
				}
				return row(order[1])(ctx, tx)
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	var a, b int
	if err := d.R.QueryRowContext(ctx, `SELECT min(at), max(at) FROM feed`).Scan(&a, &b); err != nil || a != 2 || b != 2 {
		t.Fatalf("rows at %d and %d, %v; want each counted twice", a, b, err)
	}
	if n := runs.Load(); n < 3 {
		t.Fatalf("%d runs: there was no deadlock", n)
	}
}

func TestOtherErrorsAreNotTriedAgain(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		runs := 0
		err := d.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
			runs++
			_, err := tx.ExecContext(ctx, `INSERT INTO nowhere VALUES (1)`)
			return err
		})
		if err == nil || runs != 1 {
			t.Fatalf("%v after %d runs", err, runs)
		}
	})
}

func TestReadingDoesNotWrite(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	if _, err := d.R.ExecContext(t.Context(), `INSERT INTO feed (at, topic, ref) VALUES (1, 'a', 'b')`); err == nil {
		t.Fatal("the reading side has written")
	}
}

func TestSortedTextComparesByCodePoint(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		_, err := d.Writer().ExecContext(t.Context(), `INSERT INTO partner (id, name, name_key, brand, created_at, version)
			VALUES ('1', 'x', 'a b', '{}', 1, 1), ('2', 'x', 'Z', '{}', 1, 1), ('3', 'x', 'ä', '{}', 1, 1), ('4', 'x', 'aa', '{}', 1, 1), ('5', 'x', '+1', '{}', 1, 1)`)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := d.R.QueryContext(t.Context(), `SELECT id FROM partner ORDER BY name_key`)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		got := ""
		for rows.Next() {
			var id string
			if err := rows.Scan(&id); err != nil {
				t.Fatal(err)
			}
			got += id
		}
		if got != "52143" || rows.Err() != nil {
			t.Fatalf("order %s, %v", got, rows.Err())
		}
	})
}

func TestAnAddressThatIsNoneIsRefusedWithoutItsPassword(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"mysql://tcap:hunter2@db/tcap", "postgres:tcap:hunter2@db/tcap", "tcap:hunter2@db", ""} {
		d, err := db.Open(t.Context(), url)
		if err == nil {
			d.Close()
			t.Fatalf("%q was opened", url)
		}
		if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%v", err)
		}
	}
	_, err := db.Open(t.Context(), "postgres://tcap:hunter2@127.0.0.1:1/tcap?sslmode=disable&connect_timeout=2")
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("a server that is away: %v", err)
	}
}

func TestOnPostgreSQLSeveralMayMigrateAtOnce(t *testing.T) {
	t.Parallel()
	url := pg.Start(t)
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			d, err := db.Open(context.Background(), url)
			if err != nil {
				t.Error(err)
				return
			}
			defer d.Close()
			if err := d.Migrate(context.Background(), nil); err != nil {
				t.Error(err)
			}
			if n, err := d.Pending(context.Background()); n != 0 || err != nil {
				t.Errorf("%d pending, %v", n, err)
			}
		})
	}
	wg.Wait()
}
