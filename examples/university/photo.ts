/** A JPEG image of one grey pixel whose comment holds the given bytes, so that no two photos are equal. */
export function jpeg(comment: Buffer): Buffer {
  const segment = (marker: number, ...content: (number | Buffer)[]): Buffer => {
    const body = Buffer.concat(content.map((part) => (Buffer.isBuffer(part) ? part : Buffer.of(part))));
    const length = Buffer.alloc(2);
    length.writeUInt16BE(body.length + 2);
    return Buffer.concat([Buffer.of(0xff, marker), length, body]);
  };
  const oneCode = Buffer.of(1, ...Array<number>(15).fill(0), 0); // a Huffman table: one code of one bit, meaning 0
  return Buffer.concat([
    Buffer.of(0xff, 0xd8), // start of image
    segment(0xe0, Buffer.from('JFIF\0'), 1, 1, 0, 0, 1, 0, 1, 0, 0), // version 1.1, square pixels, no thumbnail
    segment(0xfe, comment),
    segment(0xdb, 0, Buffer.alloc(64, 1)), // quantisation
    segment(0xc0, 8, 0, 1, 0, 1, 1, 1, 0x11, 0), // 8 bits, 1 × 1 pixels, one component
    segment(0xc4, 0x00, oneCode), // of the block's mean
    segment(0xc4, 0x10, oneCode), // of its details
    segment(0xda, 1, 1, 0, 0, 63, 0),
    Buffer.of(0x3f), // "0": mean unchanged, "0": no details, padding
    Buffer.of(0xff, 0xd9), // end of image
  ]);
}
