/* The loops over characters, pieces and words that numpy makes many passes for.
 *
 * Each belongs to the Python function named above it, which calls it through compiled.py, gives
 * the same numbers without it and says what its arrays are. compiled.py looks at their types; the
 * loops trust what is in them, since it is this package's own. No float is rounded here, so that
 * all machines agree.
 *
 * Nothing of Python is needed: ctypes loads the library.
 */

#include <stdint.h>

#ifdef _WIN32
#define LOOP __declspec(dllexport)
LOOP void *PyInit__compiled(void) { return 0; } /* Windows' linker asks for it */
#else
#define LOOP
#endif

LOOP const uint32_t source_crc = SOURCE_CRC; /* of this file, as it was compiled */

/* columns.ranges */
LOOP int64_t fill_ranges(const int64_t *starts, const int64_t *stops, int64_t count, int64_t *out)
{
    for (int64_t i = 0; i < count; i++)
        for (int64_t number = starts[i]; number < stops[i]; number++)
            *out++ = number;
    return 0;
}

/* boundaries._marked_quickly; returns whether the words fit the text, with `skips` but for the
 * whitespace between them */
LOOP int64_t mark_words(const uint32_t *codes, const uint8_t *spaces, int64_t length,
                        const uint32_t *marked, int64_t marked_length, int64_t skips,
                        uint8_t *boundaries)
{
    int64_t place = 0;
    int starts = 1, is_word = 0; /* a word starts here; the one before was more than whitespace */
    for (int64_t i = 0; i < marked_length; i++) {
        if (marked[i] == 0) {
            starts = 1;
            continue;
        }
        if (starts) {
            if (is_word && place <= length)
                boundaries[place] = 1;
            while (skips && place < length && spaces[place])
                place++;
            is_word = place < length && !spaces[place];
            if (is_word)
                boundaries[place] = 1;
            starts = 0;
        }
        if (place > length - skips || (skips && spaces[place]))
            return 0;
        if (marked[i] != (place < length ? codes[place] : '\n'))
            return 0;
        place++;
    }
    if (is_word && place <= length)
        boundaries[place] = 1;
    while (skips && place < length && spaces[place])
        place++;
    return place == (skips ? length : length + 1);
}

/* WordPiece._find_runs; returns how many there are */
LOOP int64_t find_runs(const uint32_t *codes, int64_t length, const int32_t *characters,
                       int64_t inner, int32_t *found, int64_t *starts, int64_t *stops)
{
    int64_t count = 0, within = 0;
    for (int64_t i = 0; i < length; i++) {
        found[i] = characters[codes[i]];
        if (within && found[i] != inner)
            stops[count++] = i;
        if (!within && found[i] == inner)
            starts[count] = i;
        within = found[i] == inner;
    }
    if (within)
        stops[count++] = length;
    return count;
}

/* _WordpieceCache.tokens, its two passes */
LOOP int64_t count_pieces(const int32_t *runs, int64_t length, const int64_t *starts)
{
    int64_t count = 0;
    for (int64_t i = 0; i < length; i++)
        if (runs[i] >= 0)
            count += starts[runs[i] + 1] - starts[runs[i]];
    return count;
}

LOOP int64_t look_up_pieces(const int32_t *runs, int64_t length, const int64_t *starts,
                            const int32_t *ids, const int64_t *first, const int64_t *last,
                            int32_t *out_ids, int64_t *out_first, int64_t *out_last)
{
    for (int64_t i = 0; i < length; i++) {
        if (runs[i] < 0)
            continue;
        for (int64_t piece = starts[runs[i]]; piece < starts[runs[i] + 1]; piece++) {
            *out_ids++ = ids[piece];
            *out_first++ = first[piece] + i;
            *out_last++ = last[piece] + i;
        }
    }
    return 0;
}

/* align.word_starts, but for the starts of sentences; returns whether each piece has text */
LOOP int64_t word_starts(const int64_t *first, const int64_t *last, int64_t pieces,
                         const uint8_t *boundaries, uint8_t *starts)
{
    for (int64_t i = 0; i < pieces; i++) {
        if (first[i] >= last[i])
            return 0;
        starts[i] = 0;
        for (int64_t place = i ? last[i - 1] : first[i] + 1; place <= first[i]; place++)
            starts[i] |= boundaries[place];
    }
    return 1;
}

/* random_draws.draw */
static uint64_t draw(uint64_t seed, uint64_t number)
{
    uint64_t z = seed + (number + 1) * UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

/* word_keys.word_keys */
LOOP int64_t hash_words(const int32_t *pieces, const int64_t *starts, int64_t words, uint64_t *keys)
{
    for (int64_t word = 0; word < words; word++) {
        int64_t size = starts[word + 1] - starts[word];
        uint64_t mixed = 0;
        for (int64_t place = 0; place < size; place++)
            mixed += ((uint64_t)pieces[starts[word] + place] + 1) * draw(0, (uint64_t)place);
        keys[word] = draw(mixed, (uint64_t)size);
    }
    return 0;
}

/* WordIndex: a word lies in one of a few neighbouring slots, the first that was free */
enum { PROBES = 8 };

static int64_t slot_of(uint64_t key, int64_t probe, int64_t bits)
{
    return (int64_t)((key >> (64 - bits)) + (uint64_t)probe) & (((int64_t)1 << bits) - 1);
}

/* WordIndex._look_up; returns how many words were not found */
LOOP int64_t find_words(const uint64_t *keys, int64_t words, const uint64_t *slot_keys,
                        const int32_t *slot_numbers, int64_t bits, int64_t *numbers,
                        int64_t *missed)
{
    int64_t count = 0;
    for (int64_t word = 0; word < words; word++) {
        numbers[word] = -1;
        for (int64_t probe = 0; probe < PROBES; probe++) {
            int64_t slot = slot_of(keys[word], probe, bits);
            if (slot_numbers[slot] >= 0 && slot_keys[slot] != keys[word])
                continue;
            numbers[word] = slot_numbers[slot];
            break;
        }
        if (numbers[word] < 0)
            missed[count++] = word;
    }
    return count;
}

/* WordIndex._keep */
LOOP int64_t keep_words(const uint64_t *keys, const int64_t *numbers, int64_t words, int64_t bits,
                        uint64_t *slot_keys, int32_t *slot_numbers)
{
    for (int64_t word = 0; word < words; word++)
        for (int64_t probe = 0; probe < PROBES; probe++) {
            int64_t slot = slot_of(keys[word], probe, bits);
            if (slot_numbers[slot] >= 0)
                continue;
            slot_keys[slot] = keys[word];
            slot_numbers[slot] = (int32_t)numbers[word];
            break;
        }
    return 0;
}

/* layout.lay_out */
LOOP int64_t lay_out(const int32_t *pieces, const int64_t *word_starts, const int64_t *segments,
                     const int64_t *first, const int64_t *last, int64_t count, int64_t cls,
                     int64_t sep, int32_t *out_pieces, int64_t *words, int64_t *instances,
                     int64_t *positions)
{
    int32_t *row = out_pieces, *next = out_pieces;
    for (int64_t i = 0; i < count; i++) {
        int64_t start = segments[2 * i], stop = segments[2 * i + 1];
        if (i % 2 == 0) {
            row = next;
            *next++ = (int32_t)cls;
        }
        int64_t shift = next - row - start;
        for (int64_t piece = start; piece < stop; piece++)
            *next++ = pieces[piece];
        *next++ = (int32_t)sep;
        for (int64_t word = first[i]; word < last[i]; word++) {
            *words++ = word;
            *instances++ = i / 2;
            *positions++ = word_starts[word] + shift;
        }
    }
    return 0;
}

/* CandidateCache.pick */
LOOP int64_t pick_candidates(const int64_t *numbers, const double *shares, const int64_t *sizes,
                             int64_t count, const int64_t *slots, const double *weights,
                             const int64_t *weight_starts, const int64_t *starts, int64_t *out)
{
    for (int64_t i = 0; i < count; i++) {
        int64_t slot = slots[numbers[i]], chosen = 0;
        while (weights[weight_starts[slot] + chosen] <= (double)slot + shares[i])
            chosen++;
        out[i] = starts[slot] + chosen * sizes[i];
    }
    return 0;
}

/* pack_examples._varints_of; returns the bytes written */
LOOP int64_t pack_varints(const int32_t *values, const int64_t *bounds, int64_t rows,
                          uint8_t *data, int64_t *offsets)
{
    uint8_t *next = data;
    offsets[0] = 0;
    for (int64_t row = 0; row < rows; row++) {
        for (int64_t i = bounds[row]; i < bounds[row + 1]; i++) {
            uint32_t rest = (uint32_t)values[i];
            for (; rest > 0x7F; rest >>= 7)
                *next++ = (uint8_t)(rest | 0x80);
            *next++ = (uint8_t)rest;
        }
        offsets[row + 1] = next - data;
    }
    return next - data;
}
