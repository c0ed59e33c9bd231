package guestlog

import "time"

// reportEvery is how often it is said, at most, that output was dropped.
const reportEvery = time.Second

// budget is a token bucket of bytes. It counts what it refuses.
type budget struct {
	rate, burst float64 // bytes a second, bytes
	left        float64
	at          time.Time // of left
	dropped     int       // bytes not reported yet
	reported    time.Time
}

func newBudget(rate, burst int) budget {
	return budget{rate: float64(rate), burst: float64(burst), left: float64(burst)}
}

// take takes n bytes, or counts them as dropped and returns false.
func (b *budget) take(n int, now time.Time) bool {
	if !b.at.IsZero() {
		b.left = min(b.burst, b.left+now.Sub(b.at).Seconds()*b.rate)
	}
	b.at = now
	if float64(n) > b.left {
		b.dropped += n
		return false
	}
	b.left -= float64(n)
	return true
}

// report returns how many bytes were dropped since the last report, and 0 when
// it is too early for another one.
func (b *budget) report(now time.Time) int {
	if b.dropped == 0 || now.Sub(b.reported) < reportEvery {
		return 0
	}
	n := b.dropped
	b.dropped, b.reported = 0, now
	return n
}
