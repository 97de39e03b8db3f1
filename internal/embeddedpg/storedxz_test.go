package embeddedpg

import (
	"encoding/binary"
	"hash/crc32"
)

// storedXZ wraps content in the .xz format without compressing it. A whole
// Postgres takes more than a minute to compress under the race detector; the
// small archives of the other tests are really compressed.
func storedXZ(content []byte) []byte {
	const flags = "\x00\x01" // CRC-32
	sum := func(b []byte, of []byte) []byte { return binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(of)) }
	pad := func(b []byte) []byte {
		for len(b)%4 != 0 {
			b = append(b, 0)
		}
		return b
	}

	block := []byte{2, 0, 0x21, 1, 0x10, 0, 0, 0} // one filter, LZMA2, 1 MiB
	block = sum(block, block)
	kind := byte(1) // the first chunk resets the dictionary
	for left := content; len(left) > 0; kind = 2 {
		n := min(len(left), 1<<16)
		block = append(block, kind)
		block = binary.BigEndian.AppendUint16(block, uint16(n-1))
		block = append(block, left[:n]...)
		left = left[n:]
	}
	block = append(block, 0)
	unpadded := len(block) + 4
	block = sum(pad(block), content)

	index := []byte{0, 1}
	index = binary.AppendUvarint(index, uint64(unpadded))
	index = binary.AppendUvarint(index, uint64(len(content)))
	index = pad(index)
	index = sum(index, index)

	footer := binary.LittleEndian.AppendUint32(nil, uint32(len(index)/4-1))
	footer = append(footer, flags...)

	out := append([]byte("\xfd7zXZ\x00"), flags...)
	out = sum(out, []byte(flags))
	out = append(append(out, block...), index...)
	return append(append(sum(out, footer), footer...), "YZ"...)
}
