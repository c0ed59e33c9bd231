package manifest

import (
	"fmt"
	"slices"
	"strings"
)

// didYouMean returns a hint naming the candidate nearest to word, or "" if none
// is near enough to be what was meant.
func didYouMean(word string, candidates []string) string {
	if c := nearest(word, candidates); c != "" {
		return fmt.Sprintf("did you mean %q?", c)
	}
	return ""
}

// nearest returns the candidate fewest edits away from word, the first in the
// alphabet among equals, or "" if all are too far away.
func nearest(word string, candidates []string) string {
	best, distance := "", max(1, len(word)/3)
	for _, c := range candidates {
		if c == word {
			continue
		}
		d := editDistance(strings.ToLower(word), strings.ToLower(c), distance)
		if d < distance || d == distance && (best == "" || c < best) {
			best, distance = c, d
		}
	}
	return best
}

// oneOf returns the hint for a word that is none of those known: the nearest
// one, or else all of them.
func oneOf(word string, known []string) string {
	if hint := didYouMean(word, known); hint != "" || len(known) == 0 {
		return hint
	}
	return "one of: " + strings.Join(slices.Sorted(slices.Values(known)), ", ")
}

// editDistance counts the insertions, deletions, substitutions and swaps of
// neighbours that turn a into b (optimal string alignment). A result above limit
// means only that the distance is above limit.
func editDistance(a, b string, limit int) int {
	s, t := []rune(a), []rune(b)
	if diff := len(s) - len(t); diff > limit || -diff > limit {
		return limit + 1
	}
	var before []int
	previous := make([]int, len(t)+1)
	for j := range previous {
		previous[j] = j
	}
	for i := range s {
		row := make([]int, len(t)+1)
		row[0] = i + 1
		for j := range t {
			cost := 1
			if s[i] == t[j] {
				cost = 0
			}
			row[j+1] = min(previous[j]+cost, previous[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && s[i] == t[j-1] && s[i-1] == t[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, previous = previous, row
	}
	return previous[len(t)]
}
