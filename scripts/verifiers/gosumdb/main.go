// Command gosumdb verifies a log directory or a proof with the packages of
// Go's checksum database (golang.org/x/mod/sumdb), which were written for
// another purpose by other people and share no code with this project.
//
//	gosumdb log DIR VKEY
//	gosumdb proof PROOF ENTRY VKEY
//
// The status is 0 if all holds and 1 with a reason on standard error if not.
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

func main() {
	var size int64
	var err error
	args := os.Args[1:]
	switch {
	case len(args) == 3 && args[0] == "log":
		size, err = verifyLog(args[1], args[2])
	case len(args) == 4 && args[0] == "proof":
		size, err = verifyProof(args[1], args[2], args[3])
	default:
		err = errors.New("usage: gosumdb log DIR VKEY | gosumdb proof PROOF ENTRY VKEY")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "gosumdb: refused:", err)
		os.Exit(1)
	}
	fmt.Printf("gosumdb: accepted, %d entries\n", size)
}

// openCheckpoint checks the signature and gives the tree head.
func openCheckpoint(msg []byte, vkey string) (tlog.Tree, error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return tlog.Tree{}, err
	}
	opened, err := note.Open(msg, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	// Package note decodes base64 laxly: unused bits may be anything.
	for _, sig := range opened.Sigs {
		if _, err := base64.StdEncoding.Strict().DecodeString(sig.Base64); err != nil {
			return tlog.Tree{}, err
		}
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 || lines[0] != verifier.Name() {
		return tlog.Tree{}, errors.New("checkpoint of another log")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || strconv.FormatInt(size, 10) != lines[1] || size < 0 {
		return tlog.Tree{}, errors.New("malformed size")
	}
	root, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: root}, err
}

// log holds every hash of the tree, computed from the entries alone.
type log struct {
	dir     string
	size    int64
	entries [][]byte
	stored  []tlog.Hash
}

func (l *log) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		hashes[i] = l.stored[index]
	}
	return hashes, nil
}

func verifyLog(dir, vkey string) (int64, error) {
	msg, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	if err != nil {
		return 0, err
	}
	tree, err := openCheckpoint(msg, vkey)
	if err != nil {
		return 0, err
	}
	l := &log{dir: dir, size: tree.N}
	if err := l.readEntries(); err != nil {
		return 0, err
	}
	root, err := tlog.TreeHash(l.size, l)
	if err != nil {
		return 0, err
	}
	if root != tree.Hash {
		return 0, fmt.Errorf("the root is %v, not the signed %v", root, tree.Hash)
	}
	tiles := tlog.NewTiles(height, 0, l.size)
	for i, tile := range tiles {
		// Older releases list every width up to the last one.
		if i+1 < len(tiles) && tiles[i+1].L == tile.L && tiles[i+1].N == tile.N {
			continue
		}
		if err := l.checkTile(tile); err != nil {
			return 0, err
		}
	}
	return l.size, l.checkRest()
}

// tilePath is the path that C2SP tlog-tiles gives a tile: Go's, less the height.
func tilePath(tile tlog.Tile) string {
	path := strings.TrimPrefix(tile.Path(), "tile/8/")
	if tile.L == -1 {
		return "tile/entries/" + strings.TrimPrefix(path, "data/")
	}
	return "tile/" + path
}

// readEntries reads the bundles that the size requires and hashes their entries.
func (l *log) readEntries() error {
	for n := int64(0); n*256 < l.size; n++ {
		width := l.size - n*256
		if width > 256 {
			width = 256
		}
		path := tilePath(tlog.Tile{H: height, L: -1, N: n, W: int(width)})
		data, err := os.ReadFile(filepath.Join(l.dir, path))
		if err != nil {
			return err
		}
		for i := int64(0); i < width; i++ {
			if len(data) < 2 || len(data)-2 < int(binary.BigEndian.Uint16(data)) {
				return fmt.Errorf("%s ends early", path)
			}
			end := 2 + int(binary.BigEndian.Uint16(data))
			entry := data[2:end]
			hashes, err := tlog.StoredHashes(n*256+i, entry, l)
			if err != nil {
				return err
			}
			l.entries = append(l.entries, entry)
			l.stored = append(l.stored, hashes...)
			data = data[end:]
		}
		if len(data) != 0 {
			return fmt.Errorf("%s goes on after its last entry", path)
		}
	}
	return nil
}

// checkTile compares a stored hash tile with the tree.
func (l *log) checkTile(tile tlog.Tile) error {
	want, err := tlog.ReadTileData(tile, l)
	if err != nil {
		return err
	}
	path := tilePath(tile)
	got, err := os.ReadFile(filepath.Join(l.dir, path))
	if err != nil {
		return err
	}
	if !bytes.Equal(got, want) {
		return fmt.Errorf("%s differs from the tree", path)
	}
	return nil
}

// checkRest looks at the files that the size does not require: partial tiles
// of older sizes, which must agree with the log. Nothing else may be there.
func (l *log) checkRest() error {
	return filepath.WalkDir(l.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(l.dir, path)
		if err != nil || name == "checkpoint" {
			return err
		}
		if !entry.Type().IsRegular() {
			return fmt.Errorf("%s is no regular file", name)
		}
		goPath := "tile/8/" + strings.TrimPrefix(name, "tile/")
		goPath = strings.Replace(goPath, "tile/8/entries/", "tile/8/data/", 1)
		tile, err := tlog.ParseTilePath(goPath)
		if err != nil || tilePath(tile) != name {
			return fmt.Errorf("%s is no file of a log", name)
		}
		level := tile.L
		if level == -1 {
			level = 0
		}
		if tile.N*256+int64(tile.W) > l.size>>(height*level) {
			return fmt.Errorf("%s goes beyond the checkpoint", name)
		}
		if tile.L >= 0 {
			return l.checkTile(tile)
		}
		var want []byte
		for _, entry := range l.entries[tile.N*256 : tile.N*256+int64(tile.W)] {
			want = binary.BigEndian.AppendUint16(want, uint16(len(entry)))
			want = append(want, entry...)
		}
		got, err := os.ReadFile(path)
		if err == nil && !bytes.Equal(got, want) {
			err = fmt.Errorf("%s differs from the entries", name)
		}
		return err
	})
}

func verifyProof(proofPath, entryPath, vkey string) (int64, error) {
	text, err := os.ReadFile(proofPath)
	if err != nil {
		return 0, err
	}
	entry, err := os.ReadFile(entryPath)
	if err != nil {
		return 0, err
	}
	head, checkpoint, found := strings.Cut(string(text), "\n\n")
	lines := strings.Split(head, "\n")
	if !found || len(lines) < 2 || lines[0] != "c2sp.org/tlog-proof@v1" {
		return 0, errors.New("not a tlog-proof")
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[1], "index "), 10, 64)
	if err != nil || lines[1] != fmt.Sprintf("index %d", index) || index < 0 {
		return 0, errors.New("malformed index")
	}
	var proof tlog.RecordProof
	for _, line := range lines[2:] {
		hash, err := tlog.ParseHash(line)
		if err != nil || hash.String() != line {
			return 0, errors.New("malformed hash")
		}
		proof = append(proof, hash)
	}
	tree, err := openCheckpoint([]byte(checkpoint), vkey)
	if err != nil {
		return 0, err
	}
	if index >= tree.N {
		return 0, errors.New("no such entry")
	}
	return tree.N, tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(entry))
}
