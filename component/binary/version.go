package binary

import (
	"errors"
	"strings"
)

// version is a semantic version, or the first parts of one, which is what a
// canonical interface name has.
type version struct {
	nums       [3]string // major, minor, patch
	parts      int       // how many of nums are given
	prerelease bool
}

// parseVersion parses a version by the rules of Semantic Versioning 2.0, and
// the canonical versions of Explainer.md, section Canonical Interface Name.
func parseVersion(s string) (version, error) {
	var v version
	s, build, hasBuild := strings.Cut(s, "+")
	core, pre, hasPre := strings.Cut(s, "-")
	for n := range strings.SplitSeq(core, ".") {
		if v.parts == len(v.nums) {
			return v, errors.New("at most three numbers expected")
		}
		if !isNumber(n) {
			return v, errors.New("number without leading zeros expected")
		}
		v.nums[v.parts] = n
		v.parts++
	}
	if v.parts < 3 && (hasPre || hasBuild || !v.canonical()) {
		return v, errors.New("three numbers expected")
	}
	if hasPre {
		v.prerelease = true
		for id := range strings.SplitSeq(pre, ".") {
			if !isIdentifier(id) || isDigits(id) && !isNumber(id) {
				return v, errors.New("malformed pre-release")
			}
		}
	}
	if hasBuild {
		for id := range strings.SplitSeq(build, ".") {
			if !isIdentifier(id) {
				return v, errors.New("malformed build metadata")
			}
		}
	}
	return v, nil
}

// canonical reports whether v ends with its first number that is not zero, or
// after the third.
func (v version) canonical() bool {
	for i, n := range v.nums[:v.parts] {
		if n != "0" {
			return i == v.parts-1
		}
	}
	return v.parts == len(v.nums)
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

func isNumber(s string) bool { return isDigits(s) && (s == "0" || s[0] != '0') }

func isIdentifier(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-':
		default:
			return false
		}
	}
	return s != ""
}

// VersionTrack gives the track of a version: versions with equal tracks are
// compatible with each other. It is the major number when that is not zero,
// else 0. and the minor number when that is not zero. A pre-release, a version
// 0.0.x, and anything that is not a version are tracks of their own.
func VersionTrack(v string) string {
	p, err := parseVersion(v)
	switch {
	case err != nil || p.prerelease:
		return v
	case p.nums[0] != "0":
		return p.nums[0]
	case p.nums[1] != "0" && p.nums[1] != "":
		return "0." + p.nums[1]
	}
	return v
}

// SameTrack reports whether a host interface may stand for an imported one as
// far as the names tell: the names are equal, or they are interface names that
// differ in the version only and both versions are on one track.
func SameTrack(importName, hostName string) bool {
	if importName == hostName {
		return true
	}
	i, iv, iok := strings.Cut(importName, "@")
	h, hv, hok := strings.Cut(hostName, "@")
	return iok && hok && i == h && VersionTrack(iv) == VersionTrack(hv)
}

// validSuffix reports whether a version suffix makes the canonical version of an
// interface name whole.
func validSuffix(name, suffix string) bool {
	_, v, ok := strings.Cut(name, "@")
	if !ok {
		return false
	}
	canon, err := parseVersion(v)
	if err != nil || canon.prerelease || !canon.canonical() {
		return false
	}
	whole, err := parseVersion(v + suffix)
	return err == nil && whole.parts == 3 && whole.nums[canon.parts-1] == canon.nums[canon.parts-1]
}
