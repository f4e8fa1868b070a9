package ui

import (
	"fmt"
	"time"
)

// Ago tells how far at lies from now, in words: "3 min ago", "in 6 h",
// "yesterday". Beyond a week it is the date in UTC.
func Ago(at, now time.Time) string {
	d := now.Sub(at)
	if d < 0 {
		return ahead(-d, at)
	}
	switch {
	case d < 5*time.Second:
		return "just now"
	case d < time.Minute:
		return fmt.Sprintf("%d s ago", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min ago", int(d.Minutes()))
	case d < 24*time.Hour:
		return fmt.Sprintf("%d h ago", int(d.Hours()))
	case d < 48*time.Hour:
		return "yesterday"
	case d < 7*24*time.Hour:
		return fmt.Sprintf("%d days ago", int(d.Hours()/24))
	default:
		return at.UTC().Format("2 Jan 2006")
	}
}

// For tells how long something has been so, in words: "for 3 min", "for 2 days". Beyond a week it is "since" and the date in UTC.
func For(since, now time.Time) string {
	d := max(now.Sub(since), time.Second)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("for %d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("for %d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("for %d h", int(d.Hours()))
	case d < 7*24*time.Hour:
		return fmt.Sprintf("for %d days", int(d.Hours()/24))
	default:
		return "since " + since.UTC().Format("2 Jan 2006")
	}
}

// ahead is Ago for a moment still to come, d from now.
func ahead(d time.Duration, at time.Time) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("in %d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("in %d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("in %d h", int(d.Hours()))
	default:
		return "on " + at.UTC().Format("2 Jan 2006")
	}
}

// Took writes a duration the way a step list shows it: "240 ms", "12 s",
// "3 min 20 s", "2 h 5 min". Units finer than the shown ones are cut off.
func Took(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	default:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	}
}

// Absolute writes a moment in full, UTC, for a title.
func Absolute(at time.Time) string { return at.UTC().Format("Mon 2 Jan 2006, 15:04:05 UTC") }

// stamp writes a moment for <time datetime>.
func stamp(at time.Time) string { return at.UTC().Format(time.RFC3339) }
