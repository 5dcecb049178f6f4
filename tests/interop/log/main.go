// Go's own transparency log (golang.org/x/mod/sumdb) judges a log that Saphan exported: the note, the tree over the
// tiles, the place of one entry, and the growth since an earlier checkpoint. Anything wrong ends with exit code 1.
//
//	log FOLDER OLD-CHECKPOINT INDEX
package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// folder reads tiles from files; Go writes the height into a tile's path, C2SP does not.
type folder struct{ path string }

func (f folder) Height() int                       { return 8 }
func (f folder) SaveTiles([]tlog.Tile, [][]byte)   {}
func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	read := make([][]byte, 0, len(tiles))
	for _, each := range tiles {
		path := strings.Replace(each.Path(), "tile/8/", "tile/", 1)
		data, err := os.ReadFile(filepath.Join(f.path, path))
		if err != nil {
			return nil, err
		}
		read = append(read, data)
	}
	return read, nil
}

func must(what string, err error) {
	if err != nil {
		fmt.Printf("%s: %v\n", what, err)
		os.Exit(1)
	}
}

func text(path string) []byte {
	data, err := os.ReadFile(path)
	must("read", err)
	return data
}

// head opens a checkpoint under the log's key.
func head(document []byte, key string) tlog.Tree {
	verifier, err := note.NewVerifier(key)
	must("key", err)
	opened, err := note.Open(document, note.VerifierList(verifier))
	must("note", err)
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		must("checkpoint", fmt.Errorf("not three lines under the log's name"))
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	must("size", err)
	root, err := tlog.ParseHash(lines[2])
	must("root", err)
	return tlog.Tree{N: size, Hash: root}
}

// entry finds one entry in its bundle.
func entry(path string, index, size int64) []byte {
	bundle := tlog.Tile{H: 8, L: 0, N: index / 256, W: 256}
	if left := size - bundle.N*256; left < 256 {
		bundle.W = int(left)
	}
	data := text(filepath.Join(path, strings.Replace(bundle.Path(), "tile/8/0/", "tile/entries/", 1)))
	for skip := index % 256; ; skip-- {
		length := int(binary.BigEndian.Uint16(data))
		if skip == 0 {
			return data[2 : 2+length]
		}
		data = data[2+length:]
	}
}

func main() {
	path, index := os.Args[1], int64(0)
	fmt.Sscan(os.Args[3], &index)
	key := strings.TrimSpace(string(text(filepath.Join(path, "log.vkeys"))))
	tree, old := head(text(filepath.Join(path, "checkpoint")), key), head(text(os.Args[2]), key)
	hashes := tlog.TileHashReader(tree, folder{path})

	root, err := tlog.TreeHash(tree.N, hashes)
	must("tiles", err)
	if root != tree.Hash {
		must("tiles", fmt.Errorf("they do not lead to the signed root"))
	}
	proof, err := tlog.ProveRecord(tree.N, index, hashes)
	must("inclusion", err)
	leaf := tlog.RecordHash(entry(path, index, tree.N))
	must("inclusion", tlog.CheckRecord(proof, tree.N, tree.Hash, index, leaf))
	grown, err := tlog.ProveTree(tree.N, old.N, hashes)
	must("growth", err)
	must("growth", tlog.CheckTree(grown, tree.N, tree.Hash, old.N, old.Hash))
	fmt.Printf("note, root over the tiles, entry %d and growth from %d to %d entries\n", index, old.N, tree.N)
}
