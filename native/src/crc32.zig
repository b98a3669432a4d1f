//! CRC-32 as zip defines it (APPNOTE 4.4.7; polynomial 0xedb88320).
//!
//! Every unpacked byte is summed here. A processor with carry-less multiplication (x86_64) or with an instruction for
//! this sum (aarch64) sums at the speed of memory. Others use "slicing by 8", which reads eight bytes at a time and is
//! about five times as fast as a table of bytes.

const std = @import("std");
const builtin = @import("builtin");
const testing = std.testing;

/// Reflected: the highest power is the lowest bit.
const polynomial = 0xedb88320;

const tables = makeTables();

fn makeTables() [8][256]u32 {
    @setEvalBranchQuota(40_000);
    var made: [8][256]u32 = undefined;
    for (0..256) |byte| {
        var value: u32 = byte;
        for (0..8) |_| value = timesX(value);
        made[0][byte] = value;
    }
    for (0..256) |byte| {
        for (1..8) |slice| {
            const before = made[slice - 1][byte];
            made[slice][byte] = (before >> 8) ^ made[0][before & 0xff];
        }
    }
    return made;
}

/// Multiplies by x, modulo the polynomial.
fn timesX(value: u32) u32 {
    return (value >> 1) ^ (if (value & 1 != 0) @as(u32, polynomial) else 0);
}

/// Shorter inputs do not query the processor's features, which takes microseconds under a hypervisor. A warm start
/// sums only a manifest.
const fast_length_min = 16 << 10;

/// Extends the checksum `before` by `bytes`. The checksum of no bytes is 0.
pub fn crc32(before: u32, bytes: []const u8) u32 {
    if (bytes.len >= fast_length_min and hasFastSum()) return ~sumFast(~before, bytes);
    return ~sumBySlices(~before, bytes);
}

fn sumBySlices(before: u32, bytes: []const u8) u32 {
    var sum = before;
    var rest = bytes;
    while (rest.len >= 8) : (rest = rest[8..]) {
        const low = std.mem.readInt(u32, rest[0..4], .little) ^ sum;
        const high = std.mem.readInt(u32, rest[4..8], .little);
        sum = tables[7][low & 0xff] ^ tables[6][low >> 8 & 0xff] ^
            tables[5][low >> 16 & 0xff] ^ tables[4][low >> 24] ^
            tables[3][high & 0xff] ^ tables[2][high >> 8 & 0xff] ^
            tables[1][high >> 16 & 0xff] ^ tables[0][high >> 24];
    }
    for (rest) |byte| sum = (sum >> 8) ^ tables[0][(sum ^ byte) & 0xff];
    return sum;
}

const sumFast = switch (builtin.cpu.arch) {
    .x86_64 => sumByFolding,
    .aarch64 => sumByInstruction,
    else => sumBySlices,
};

var fast_sum_support: std.atomic.Value(enum(u8) { unknown, no, yes }) = .init(.unknown);

/// Whether the processor supports what `sumFast` uses.
fn hasFastSum() bool {
    const known = fast_sum_support.load(.monotonic);
    if (known != .unknown) return known == .yes;
    const can = switch (builtin.cpu.arch) {
        .x86_64 => hasCarrylessMultiplication(),
        .aarch64 => hasCrcInstruction(),
        else => false,
    };
    fast_sum_support.store(if (can) .yes else .no, .monotonic);
    return can;
}

/// CPUID, leaf 1: bit 1 of ECX is PCLMULQDQ.
fn hasCarrylessMultiplication() bool {
    var features: u32 = undefined;
    asm volatile ("cpuid"
        : [features] "={ecx}" (features),
        : [leaf] "{eax}" (@as(u32, 1)),
        : .{ .eax = true, .ebx = true, .edx = true });
    return features & 1 << 1 != 0;
}

const Lanes = @Vector(2, u64);

/// Folds 64 bytes at a time, after Gopal and others, "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ
/// Instruction" (Intel, 2009): multiplying bytes by the power of x of their distance to later bytes, and adding them
/// to these, keeps the remainder. The tables sum the last 16 bytes of the result.
fn sumByFolding(before: u32, bytes: []const u8) u32 {
    if (bytes.len < 64) return sumBySlices(before, bytes);
    var folds: [4]Lanes = undefined;
    for (&folds, 0..) |*fold, i| fold.* = lanes(bytes[16 * i ..]);
    folds[0][0] ^= before;
    var rest = bytes[64..];
    while (rest.len >= 64) : (rest = rest[64..]) {
        inline for (&folds, 0..) |*fold, i| fold.* = folded(fold.*, distance(64), lanes(rest[16 * i ..]));
    }
    var last = folds[0];
    for (folds[1..]) |fold| last = folded(last, distance(16), fold);
    while (rest.len >= 16) : (rest = rest[16..]) last = folded(last, distance(16), lanes(rest));
    return sumBySlices(sumBySlices(0, std.mem.asBytes(&last)), rest);
}

fn lanes(bytes: []const u8) Lanes {
    return @bitCast(bytes[0..16].*);
}

/// The powers of x that move both halves of 16 bytes forward by `bytes`.
fn distance(comptime bytes: comptime_int) Lanes {
    return comptime .{ power(8 * bytes + 32), power(8 * bytes - 32) };
}

/// x to the power of `exponent` modulo the polynomial, shifted as the product of reflected numbers must be.
fn power(comptime exponent: comptime_int) u64 {
    @setEvalBranchQuota(20 * exponent);
    var value: u32 = 1 << 31;
    for (0..exponent) |_| value = timesX(value);
    return @as(u64, value) << 1;
}

inline fn folded(from: Lanes, powers: Lanes, to: Lanes) Lanes {
    var low = from;
    var high = from;
    asm ("pclmulqdq $0x00, %[powers], %[low]"
        : [low] "+x" (low),
        : [powers] "x" (powers),
    );
    asm ("pclmulqdq $0x11, %[powers], %[high]"
        : [high] "+x" (high),
        : [powers] "x" (powers),
    );
    return low ^ high ^ to;
}

/// Optional in ARMv8.0, always there from 8.1 on.
fn hasCrcInstruction() bool {
    const hwcap_crc32 = 1 << 7; // <asm/hwcap.h> of arm64
    return switch (builtin.os.tag) {
        .linux => std.os.linux.getauxval(std.elf.AT_HWCAP) & hwcap_crc32 != 0,
        .windows => std.os.windows.IsProcessorFeaturePresent(.ARM_V8_CRC32_INSTRUCTIONS_AVAILABLE),
        else => true, // Apple's are 8.4 at least
    };
}

fn sumByInstruction(before: u32, bytes: []const u8) u32 {
    var sum = before;
    var rest = bytes;
    while (rest.len >= 8) : (rest = rest[8..]) {
        const word = std.mem.readInt(u64, rest[0..8], .little);
        asm (
            \\.arch_extension crc
            \\crc32x %[sum:w], %[sum:w], %[word]
            : [sum] "+r" (sum),
            : [word] "r" (word),
        );
    }
    return sumBySlices(sum, rest);
}

test "the checksum is zip's, in one piece and in any two" {
    const text = "123456789 and some more bytes, so that the fast path is taken";
    try testing.expectEqual(0xcbf43926, crc32(0, text[0..9]));
    const whole = std.hash.Crc32.hash(text);
    for (0..text.len) |cut| try testing.expectEqual(whole, crc32(crc32(0, text[0..cut]), text[cut..]));
}

test "the processor and the tables give the same sum, at every length and alignment" {
    if (!hasFastSum()) return error.SkipZigTest;
    var bytes: [700]u8 = undefined;
    var noise: std.Random.DefaultPrng = .init(1);
    noise.fill(&bytes);
    for (0..17) |start| for (start..bytes.len) |end| {
        const part = bytes[start..end];
        try testing.expectEqual(sumBySlices(0x12345678, part), sumFast(0x12345678, part));
    };
}

test "a long input has the same checksum whole and in pieces" {
    const bytes = try testing.allocator.alloc(u8, 3 * fast_length_min + 5);
    defer testing.allocator.free(bytes);
    var noise: std.Random.DefaultPrng = .init(2);
    noise.fill(bytes);
    try testing.expectEqual(std.hash.Crc32.hash(bytes), crc32(0, bytes));
    try testing.expectEqual(std.hash.Crc32.hash(bytes), crc32(crc32(0, bytes[0..7]), bytes[7..]));
}
