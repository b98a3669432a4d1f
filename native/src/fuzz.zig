//! Fuzzes the parsers of the launcher: `fuzz CORPUS SECONDS [TARGET …]` (integration/native/test_fuzz.py compiles it).
//!
//! Inputs are mutations of the corpus (native/corpus/<target>/) and of earlier inputs with a new outcome. The fuzzer
//! is built with ReleaseSafe: an overflow, an index out of bounds or a reached `unreachable` ends the run. So does an
//! input that takes more memory than `memory_max` or longer than `input_time_max_ns`. The offending input is then in
//! the file `crash-<target>` of the working directory.

const std = @import("std");
const Result = @import("binding_result.zig").Result;
const dotenv = @import("dotenv.zig");
const mach_o = @import("mach_o.zig");
const manifest = @import("manifest.zig");
const pe = @import("pe.zig");
const placeholders = @import("placeholders.zig");
const plan = @import("plan.zig");
const Expression = @import("regular_expression.zig").Expression;
const zip = @import("zip.zig");
const Allocator = std.mem.Allocator;

const input_length_max = 256 << 10;
/// The most memory of a parser for one input, including its results.
const memory_max = 64 << 20;
const input_time_max_ns = 2 * std.time.ns_per_s;
const pool_max = 4096;

const Target = enum { manifest, zip, plan, placeholders, mach_o, pe, expression, dotenv, binding };

pub fn main() !void {
    const gpa = std.heap.page_allocator;
    const arguments = try std.process.argsAlloc(gpa);
    if (arguments.len < 3) return error.Usage;
    const corpus = arguments[1];
    const seconds = try std.fmt.parseInt(u64, arguments[2], 10);
    for (std.enums.values(Target)) |target| {
        if (arguments.len > 3 and !named(arguments[3..], @tagName(target))) continue;
        var fuzzer = try Fuzzer.init(gpa, target, corpus);
        try fuzzer.run(seconds * std.time.ns_per_s);
    }
}

fn named(arguments: []const [:0]u8, name: []const u8) bool {
    for (arguments) |argument| if (std.mem.eql(u8, argument, name)) return true;
    return false;
}

const Fuzzer = struct {
    gpa: Allocator,
    target: Target,
    random: std.Random.DefaultPrng,
    pool: std.ArrayList([]const u8) = .empty,
    seen: std.AutoHashMapUnmanaged(u64, void) = .empty,
    memory: []u8,
    input: []u8,
    scratch: std.fs.File,
    crash: std.fs.File,

    fn init(gpa: Allocator, target: Target, corpus: []const u8) !Fuzzer {
        var name: [64]u8 = undefined;
        const crash_name = try std.fmt.bufPrint(&name, "crash-{s}", .{@tagName(target)});
        var fuzzer: Fuzzer = .{
            .gpa = gpa,
            .target = target,
            .random = .init(std.crypto.random.int(u64)),
            .memory = try gpa.alloc(u8, memory_max),
            .input = try gpa.alloc(u8, input_length_max),
            .scratch = .{ .handle = try std.posix.memfd_create("fuzz", 0) },
            .crash = try std.fs.cwd().createFile(crash_name, .{}),
        };
        var directory = try std.fs.cwd().openDir(corpus, .{});
        defer directory.close();
        var items = try directory.openDir(@tagName(target), .{ .iterate = true });
        defer items.close();
        var each = items.iterate();
        while (try each.next()) |item| {
            try fuzzer.pool.append(gpa, try items.readFileAlloc(gpa, item.name, input_length_max));
        }
        if (fuzzer.pool.items.len == 0) return error.EmptyCorpus;
        return fuzzer;
    }

    fn run(fuzzer: *Fuzzer, duration_ns: u64) !void {
        var timer = try std.time.Timer.start();
        var inputs: u64 = 0;
        for (fuzzer.pool.items) |item| _ = try fuzzer.attempt(item);
        while (timer.read() < duration_ns) : (inputs += 1) {
            const input = fuzzer.mutate();
            if (try fuzzer.attempt(input) and fuzzer.pool.items.len < pool_max) {
                try fuzzer.pool.append(fuzzer.gpa, try fuzzer.gpa.dupe(u8, input));
            }
        }
        var name: [64]u8 = undefined;
        try std.fs.cwd().deleteFile(try std.fmt.bufPrint(&name, "crash-{s}", .{@tagName(fuzzer.target)}));
        std.debug.print("{s}: {d} inputs, {d} outcomes\n", .{ @tagName(fuzzer.target), inputs, fuzzer.seen.count() });
    }

    /// Parses `input`. Returns whether the outcome is new.
    fn attempt(fuzzer: *Fuzzer, input: []const u8) !bool {
        try fuzzer.crash.setEndPos(0);
        try fuzzer.crash.pwriteAll(input, 0);
        var memory: std.heap.FixedBufferAllocator = .init(fuzzer.memory);
        var timer = try std.time.Timer.start();
        const outcome = switch (fuzzer.target) {
            .manifest => try fuzzer.attemptManifest(memory.allocator(), input),
            .zip => try fuzzer.attemptZip(memory.allocator(), input),
            .plan => attemptPlan(memory.allocator(), input),
            .placeholders => attemptPlaceholders(memory.allocator(), input),
            .mach_o => try fuzzer.attemptMachO(input),
            .pe => try fuzzer.attemptPe(input),
            .expression => attemptExpression(memory.allocator(), input),
            .dotenv => attemptDotenv(memory.allocator(), input),
            .binding => attemptBinding(memory.allocator(), input),
        };
        if (timer.read() > input_time_max_ns) return error.TooSlow;
        return !(try fuzzer.seen.getOrPut(fuzzer.gpa, outcome)).found_existing;
    }

    fn file(fuzzer: *Fuzzer, input: []const u8) !std.fs.File {
        try fuzzer.scratch.setEndPos(0);
        try fuzzer.scratch.pwriteAll(input, 0);
        return fuzzer.scratch;
    }

    fn attemptManifest(fuzzer: *Fuzzer, arena: Allocator, input: []const u8) !u64 {
        // The checksum hides nearly every mutation from the parser.
        const found = manifest.read(arena, try fuzzer.file(input), input.len) catch
            manifest.parse(arena, input, input_length_max) catch |err| return failure(err);
        return digest(.{ found.files.len, found.boot.commands.map.count(), found.base != null });
    }

    fn attemptZip(fuzzer: *Fuzzer, arena: Allocator, input: []const u8) !u64 {
        const source = try fuzzer.file(input);
        const range: zip.Range = .{ .start = 0, .end = input.len };
        const entries = zip.readDirectory(arena, source, range) catch |err| return failure(err);
        var readable: usize = 0;
        var each = entries.valueIterator();
        while (each.next()) |entry| {
            const offset = zip.dataOffset(source, entry.*, range.end) catch continue;
            std.debug.assert(offset + entry.compressed_length <= range.end);
            readable += 1;
        }
        return digest(.{ entries.count(), readable, @as(usize, 0) });
    }

    fn attemptMachO(fuzzer: *Fuzzer, input: []const u8) !u64 {
        const source = try fuzzer.file(input);
        const offset = mach_o.signatureOffset(source, input.len);
        if (offset) |signature| std.debug.assert(signature <= input.len);
        var buffer: mach_o.HeadBuffer = undefined;
        const bare = mach_o.readBareHead(source, input.len, &buffer) catch |err| return failure(err);
        std.debug.assert(bare.len <= input.len);
        mach_o.sign(source, "moo") catch |err| return failure(err) +% @intFromBool(offset != null);
        const size = try source.getEndPos();
        return digest(.{ offset != null, mach_o.signatureOffset(source, size) == input.len, @as(usize, 0) });
    }

    fn attemptPe(fuzzer: *Fuzzer, input: []const u8) !u64 {
        const source = try fuzzer.file(input);
        const table = pe.certificateTable(source, input.len);
        if (table) |offset| std.debug.assert(offset <= input.len);
        var buffer: pe.HeadBuffer = undefined;
        const bare = pe.readBareHead(source, &buffer) catch |err| return failure(err);
        std.debug.assert(bare.len <= input.len);
        pe.writeChecksum(source) catch |err| return failure(err) +% @intFromBool(table != null);
        return digest(.{ table != null, pe.isWindowed(bare), pe.certificateTable(source, input.len) == table });
    }

    fn mutate(fuzzer: *Fuzzer) []const u8 {
        const random = fuzzer.random.random();
        const seed = fuzzer.pool.items[random.uintLessThan(usize, fuzzer.pool.items.len)];
        var input: std.ArrayList(u8) = .initBuffer(fuzzer.input);
        input.appendSliceAssumeCapacity(seed[0..@min(seed.len, input_length_max / 2)]);
        const times = 1 + random.uintLessThan(u8, 6);
        for (0..times) |_| fuzzer.mutateOnce(random, &input);
        return input.items;
    }

    fn mutateOnce(fuzzer: *Fuzzer, random: std.Random, input: *std.ArrayList(u8)) void {
        if (input.items.len == 0) input.appendAssumeCapacity(0);
        const at = random.uintLessThan(usize, input.items.len);
        const length = @min(1 + random.uintLessThan(usize, 32), input.items.len - at);
        const interesting = [_]u8{ 0, 1, 0x7f, 0x80, 0xff, '0', '9', '\t', '\n', '\\', '/', '.', '{', '}', '"', '-', '=' };
        switch (random.uintLessThan(u8, 9)) {
            0 => input.items[at] ^= @as(u8, 1) << random.int(u3),
            1 => input.items[at] = random.int(u8),
            2 => input.items[at] = interesting[random.uintLessThan(usize, interesting.len)],
            3 => @memset(input.items[at..][0..length], 0xff),
            4 => input.shrinkRetainingCapacity(at),
            5 => { // remove a piece
                std.mem.copyForwards(u8, input.items[at..], input.items[at + length ..]);
                input.shrinkRetainingCapacity(input.items.len - length);
            },
            6 => { // repeat a piece
                if (input.items.len + length > input_length_max) return;
                input.appendSliceAssumeCapacity(input.items[input.items.len - length ..]);
                std.mem.copyBackwards(u8, input.items[at + length ..], input.items[at .. input.items.len - length]);
            },
            7 => { // a number at the limits of its type
                const numbers = [_]u64{ 0, 1, 0x7fff, 0xffff, 0x7fff_ffff, 0xffff_fffe, 0xffff_ffff, std.math.maxInt(u64) };
                var bytes: [8]u8 = undefined;
                std.mem.writeInt(u64, &bytes, numbers[random.uintLessThan(usize, numbers.len)], .little);
                const width = @min(input.items.len - at, @as(usize, 1) << random.uintLessThan(u2, 3) + 1);
                @memcpy(input.items[at..][0..@min(width, 8)], bytes[0..@min(width, 8)]);
            },
            else => { // the front of this and the end of another
                const other = fuzzer.pool.items[random.uintLessThan(usize, fuzzer.pool.items.len)];
                const from = random.uintLessThan(usize, other.len + 1);
                const piece = other[from..][0..@min(other.len - from, input_length_max / 2)];
                input.shrinkRetainingCapacity(@min(at, input_length_max / 2));
                input.appendSliceAssumeCapacity(piece);
            },
        }
    }
};

fn attemptPlan(arena: Allocator, input: []const u8) u64 {
    const found = plan.parse(arena, input) catch |err| return failure(err);
    for (found.entries) |entry| {
        for (found.files[entry.files_start..entry.files_end]) |file| {
            std.debug.assert(file.offset + file.length <= entry.length);
        }
    }
    return digest(.{ found.entries.len, found.files.len, found.links.len + found.directories.len });
}

fn attemptPlaceholders(arena: Allocator, input: []const u8) u64 {
    var nothing: u8 = 0;
    const values: placeholders.Values = .{ .context = &nothing, .lookup = lookup, .optional = optional };
    const found = placeholders.expand(arena, input, values) catch |err| return failure(err);
    return digest(.{ found.len, std.mem.count(u8, input, "{"), 0 });
}

fn attemptExpression(arena: Allocator, input: []const u8) u64 {
    // A pattern, and what follows the first line is searched.
    const end = std.mem.indexOfScalar(u8, input, '\n') orelse input.len;
    const expression = Expression.compile(arena, input[0..end]) catch |err| return failure(err);
    const text = input[end..@min(input.len, end + 200)];
    const found = expression.search(arena, text) catch |err| return failure(err);
    return digest(.{ expression.program.len, found, @as(usize, 0) });
}

fn attemptDotenv(arena: Allocator, input: []const u8) u64 {
    const found = dotenv.count(arena, input) catch |err| return failure(err);
    return digest(.{ found, std.mem.count(u8, input, "$"), @as(usize, 0) });
}

fn attemptBinding(arena: Allocator, input: []const u8) u64 {
    const written = Result.read(arena, input, "") catch |err| return failure(err);
    const text = written.render(arena) catch |err| return failure(err);
    const again = Result.parse(arena, text) catch unreachable; // what was rendered
    std.debug.assert(again.values.count() == written.values.count());
    const json = Result.read(arena, "", input) catch Result.parse(arena, input) catch |err| return failure(err);
    return digest(.{ written.values.count(), json.values.count(), json.guards.len });
}

fn lookup(_: *anyopaque, _: Allocator, name: []const u8) placeholders.Error!?[]const u8 {
    return if (std.mem.startsWith(u8, name, "scie")) "value" else null;
}

fn optional(_: *anyopaque, _: Allocator, _: placeholders.Kind, name: []const u8) placeholders.Error!?[]const u8 {
    return if (name.len % 2 == 0) "value" else null;
}

/// Exceeding `memory_max` is a finding, any other error an outcome.
fn failure(err: anyerror) u64 {
    if (err == error.OutOfMemory) @panic("more memory than any input of this length may take");
    return std.hash.Wyhash.hash(0, @errorName(err));
}

fn digest(shape: anytype) u64 {
    var hasher: std.hash.Wyhash = .init(1);
    inline for (shape) |part| {
        const value: u64 = if (@TypeOf(part) == bool) @intFromBool(part) else part;
        hasher.update(std.mem.asBytes(&value));
    }
    return hasher.final();
}
