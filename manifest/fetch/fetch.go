// Package fetch gets component sources that a manifest names by URL and digest.
//
// It knows files and HTTP, and nothing of manifests or components. Its one idea
// is that the digest is the name: what was fetched once is kept under its digest,
// so that the URL is asked at most once on a machine, whichever application wants
// it, and nothing is needed from the network afterwards. What is kept is checked
// at every use, for a cache is a directory that anything may write to.
package fetch

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// MaxSize bounds what is downloaded, in bytes.
const MaxSize = 1 << 30

// prefix names the one algorithm of digests.
const prefix = "sha256:"

// client gives up on servers that say nothing; how long a body may take is up to
// the caller's context.
var client = &http.Client{Transport: &http.Transport{
	Proxy:                 http.ProxyFromEnvironment,
	TLSHandshakeTimeout:   15 * time.Second,
	ResponseHeaderTimeout: 60 * time.Second,
	ForceAttemptHTTP2:     true,
}}

// A Cache is a directory of what has been fetched. Several processes may use one
// at a time.
type Cache struct {
	// Dir is made when first needed.
	Dir string
}

// DefaultDir returns the directory of the user's own cache.
func DefaultDir() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no place for downloads: %w", err)
	}
	return filepath.Join(dir, "minispin", "downloads"), nil
}

// A DigestError says that what a URL gives is not what was asked for.
type DigestError struct{ URL, Want, Got string }

func (e *DigestError) Error() string {
	return fmt.Sprintf("%s does not have the digest it should\n  wanted %s\n  found  %s\n"+
		"  > if the new content is to be trusted, write its digest into the manifest", e.URL, e.Want, e.Got)
}

// Get returns the bytes with the given digest, "sha256:" and 64 hexadecimal
// digits, from the cache or else from the URL. A mismatch is a [*DigestError].
// Passwords in the URL do not show in errors.
func (c *Cache) Get(ctx context.Context, source, digest string) ([]byte, error) {
	digest = strings.ToLower(digest)
	name := strings.TrimPrefix(digest, prefix)
	if sum, err := hex.DecodeString(name); err != nil || len(sum) != sha256.Size || name == digest {
		return nil, fmt.Errorf("%q is not a digest", digest)
	}
	path := filepath.Join(c.Dir, "sha256-"+name)
	kept, err := os.ReadFile(path)
	switch {
	case err == nil && digestOf(kept) == digest:
		return kept, nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("reading the download cache: %w", err)
	}
	u, err := url.Parse(source)
	if err != nil {
		return nil, fmt.Errorf("downloading: %w", err)
	}
	data, err := download(ctx, u)
	if err != nil {
		return nil, fmt.Errorf("downloading %s: %w", u.Redacted(), err)
	}
	if got := digestOf(data); got != digest {
		return nil, &DigestError{URL: u.Redacted(), Want: digest, Got: got}
	}
	if err := keep(path, data); err != nil {
		return nil, fmt.Errorf("keeping the download of %s: %w", u.Redacted(), err)
	}
	return data, nil
}

func digestOf(data []byte) string {
	sum := sha256.Sum256(data)
	return prefix + hex.EncodeToString(sum[:])
}

func download(ctx context.Context, u *url.URL) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	resp, err := client.Do(req)
	if err != nil {
		if wrapped, ok := errors.AsType[*url.Error](err); ok {
			err = wrapped.Err // it would name the URL again
		}
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the server answers %s", resp.Status)
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, MaxSize+1))
	if err != nil {
		return nil, fmt.Errorf("the download broke off: %w", err)
	}
	if len(data) > MaxSize {
		return nil, fmt.Errorf("it is larger than %d MiB", MaxSize>>20)
	}
	return data, nil
}

// keep writes data to path in one step: a reader, or a process that ends half
// way, never leaves or finds a part of it.
func keep(path string, data []byte) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".part-")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
