//! The scie's manifest: one line of JSON, the comment of the zip at the end of the payload.
//!
//! docs/reference/format.md describes every field. Every start reads it, so it reads only the tail of the file, into
//! buffers of the caller.

const std = @import("std");
const builtin = @import("builtin");
const testing = std.testing;
const crc32 = @import("crc32.zig").crc32;
const zip = @import("zip.zig");

pub const Error = error{ NoManifest, CorruptManifest, NewerFormat, OutOfMemory } || std.fs.File.PReadError;

/// The format version that this launcher reads.
const format_supported = 1;

/// A zip comment's length is 16 bits wide (APPNOTE 4.3.16).
pub const length_max = 0xffff;
const tail_length_max = zip.end_record_length + length_max;

/// Most manifests fit, so most starts read only this.
const first_read_length = 4096;

pub const Kind = enum {
    interpreter,
    app,
    /// Embedded files.
    files,
    /// A C library for hosts without one.
    libc,

    /// The subdirectory of the base directory for installations of this kind.
    pub fn directory(kind: Kind) []const u8 {
        return switch (kind) {
            .interpreter => "interpreters",
            .app => "apps",
            .files => "files",
            .libc => "libcs",
        };
    }
};

/// The entry of a part's zip with the plan.
pub const plan_entry = ".czscie/plan";

pub const first_module_length_max = 256;

/// The digits of the digest in the name of an installation. Windows limits paths to 259 characters, and those of the
/// application's files count too.
pub const installed_name_length = if (builtin.os.tag == .windows) 20 else 64;

/// A part of the scie, installed as one directory.
pub const File = struct {
    name: []const u8,
    kind: Kind,
    /// SHA-256 of the plan, in hexadecimal: the name of the installation.
    digest: []const u8,
    /// The place of its zip in the executable, without a comment.
    offset: u64,
    size: u64,
    /// The bytes of the installed files, without the file system's overhead.
    unpacked: u64,
    /// The entry of its zip that is the plan.
    plan: []const u8 = plan_entry,
    /// The path of the file that an interpreter imports first.
    first_module: []const u8 = "",
    /// The names of lazy parts that it does not work without.
    requires: []const []const u8 = &.{},

    /// The name of its directory and of its lock.
    pub fn installedName(file: File) []const u8 {
        return file.digest[0..@min(file.digest.len, installed_name_length)];
    }

    /// The bytes of its zip in the executable.
    pub fn range(file: File) zip.Range {
        return .{ .start = file.offset, .end = file.offset + file.size };
    }
};

/// A part that is not in the executable, installed as one directory by the fetcher.
pub const LazyPart = struct {
    name: []const u8,
    kind: Kind,
    /// The name of the installation: it stands for everything that shapes it.
    digest: []const u8,
    /// The name of the file that is fetched, by which `ptex` has its URL.
    fetched: []const u8,
    type: []const u8,
    /// Where in the installation the file is or, of an archive, its members; empty for the installation itself.
    path: []const u8 = "",
    size: ?u64 = null,
    /// SHA-256 in hexadecimal.
    hash: ?[]const u8 = null,
    executable: bool = false,
    /// The binding that prints it, if it has no URL.
    source: ?[]const u8 = null,

    pub fn file(part: LazyPart) File {
        return .{ .name = part.name, .kind = part.kind, .digest = part.digest, .offset = 0, .size = 0, .unpacked = 0 };
    }
};

/// URLs by the names of files.
pub const Urls = std.json.ArrayHashMap([]const u8);

pub const Command = struct {
    exe: []const u8,
    args: []const []const u8 = &.{},
    /// `NAME` sets a default, `=NAME` replaces a value, `=NAME` with null removes it. With null, a name without `=` is a
    /// regular expression of the names to remove.
    env: std.json.ArrayHashMap(?[]const u8) = .{},
    description: ?[]const u8 = null,
};

/// The requirements of the host.
pub const Needs = struct { glibc: ?[]const u8 = null };

/// The bundled C library, in the part of the kind `libc`.
pub const BundledLibc = struct {
    /// The path of the loader on hosts with a C library.
    loader: []const u8,
    /// The digests of the parts that it changes, by the parts' names.
    plans: std.json.ArrayHashMap([]const u8),
    /// The libraries that a host must have besides its C library.
    libraries: []const []const u8 = &.{},
    /// Whether it is used even if the host has a C library.
    always: bool = false,
    /// Environment variables for programs that start with it, unless they are set.
    env: std.json.ArrayHashMap([]const u8) = .{},
};

pub const Boot = struct {
    commands: std.json.ArrayHashMap(Command),
    /// Commands that run once, before the first command that names them.
    bindings: std.json.ArrayHashMap(Command) = .{},
    /// Whether the variables of a `.env` are added to the environment.
    load_dotenv: bool = false,
    /// Whether a first start shows no line on a terminal while it unpacks.
    quiet: bool = false,
    /// The places of files by their names in placeholders, and their SHA-256, for names that are known only when a
    /// command is started.
    names: std.json.ArrayHashMap(Place) = .{},
    hashes: std.json.ArrayHashMap([]const u8) = .{},
    /// Whether the name of the executable chooses a command before the default one.
    by_name: bool = false,
    /// The path of a document whose `ptex` has other URLs of lazy parts.
    urls: ?[]const u8 = null,
};

/// A path in an installed part.
pub const Place = struct { part: []const u8, path: []const u8 };

/// The environment variable that selects a tool in scies.
pub const default_tools = "SCIE";

pub const Manifest = struct {
    name: []const u8,
    description: ?[]const u8 = null,
    base: ?[]const u8 = null,
    /// The environment variable that selects a tool; none if it is empty.
    tools: []const u8 = default_tools,
    needs: Needs = .{},
    libc: ?BundledLibc = null,
    files: []const File,
    lazy: []const LazyPart = &.{},
    boot: Boot,
    /// The URLs of lazy parts. In the document, it lies beside `scie`.
    ptex: Urls = .{},

    /// Whether the file contains the parts. The executable of a permanent installation does not.
    pub fn hasParts(manifest: Manifest) bool {
        for (manifest.files) |file| if (file.size == 0) return false;
        return true;
    }

    /// The lazy part `name`; null if there is none.
    pub fn findLazy(manifest: Manifest, name: []const u8) ?LazyPart {
        for (manifest.lazy) |part| if (std.mem.eql(u8, part.name, name)) return part;
        return null;
    }

    /// The part `name`; null if there is none.
    pub fn find(manifest: Manifest, name: []const u8) ?File {
        for (manifest.files) |file| if (std.mem.eql(u8, file.name, name)) return file;
        return null;
    }
};

const Document = struct {
    scie: struct {
        format: u32,
        lift: Manifest,
    },
    ptex: Urls = .{},
};

/// Reads the manifest of the payload that ends at `payload_end`. The result points into memory of `arena`. Returns
/// error.NoManifest, error.CorruptManifest or error.NewerFormat if there is no valid one.
pub fn read(arena: std.mem.Allocator, file: std.fs.File, payload_end: u64) Error!Manifest {
    return parse(arena, try readText(arena, file, payload_end), payload_end);
}

/// The text of the manifest, without the line feeds around it.
pub fn readText(arena: std.mem.Allocator, file: std.fs.File, payload_end: u64) Error![]const u8 {
    var length: u64 = @min(payload_end, first_read_length);
    while (true) {
        const tail = try arena.alloc(u8, @intCast(length));
        if (try file.preadAll(tail, payload_end - length) != tail.len) return error.NoManifest;
        if (findComment(tail)) |comment| {
            if (comment.len == 0) return error.NoManifest;
            return checkedText(comment);
        }
        if (length == @min(payload_end, tail_length_max)) return error.NoManifest;
        length = @min(payload_end, tail_length_max);
    }
}

/// The comment of the zip at the end of `tail`: it extends exactly to the end.
fn findComment(tail: []const u8) ?[]const u8 {
    if (tail.len < zip.end_record_length) return null;
    var start = tail.len - zip.end_record_length + 1;
    while (start > 0) {
        start -= 1;
        if (!std.mem.startsWith(u8, tail[start..], "PK\x05\x06")) continue;
        const comment = tail[start + zip.end_record_length ..];
        if (std.mem.readInt(u16, tail[start + 20 ..][0..2], .little) == comment.len) return comment;
    }
    return null;
}

/// Checks the checksum. The manifest ends with `,"crc32":"89abcdef"}`, the checksum of everything before that, from
/// the first brace on. It detects damage, not malice.
fn checkedText(comment: []const u8) error{CorruptManifest}![]const u8 {
    const text = std.mem.trim(u8, comment, "\n");
    const digits = 8;
    const before = ",\"crc32\":\"";
    const after = "\"}";
    if (text.len < before.len + digits + after.len) return error.CorruptManifest;
    const body = text[0 .. text.len - before.len - digits - after.len];
    const tail = text[body.len..];
    if (!std.mem.startsWith(u8, tail, before) or !std.mem.endsWith(u8, tail, after)) return error.CorruptManifest;
    const sum = std.fmt.parseUnsigned(u32, tail[before.len..][0..digits], 16) catch return error.CorruptManifest;
    return if (sum == crc32(0, body)) text else error.CorruptManifest;
}

/// The checksum at the end of a text that `readText` returned.
pub fn checksum(text: []const u8) []const u8 {
    return text[text.len - "89abcdef\"}".len ..][0..8];
}

/// The length of the launcher at the head of the file, in bytes.
pub fn launcherLength(arena: std.mem.Allocator, text: []const u8, payload_end: u64) Error!u64 {
    const options: std.json.ParseOptions = .{ .ignore_unknown_fields = true };
    const document = std.json.parseFromSliceLeaky(
        struct { scie: struct { jump: struct { size: u64 } } },
        arena,
        text,
        options,
    ) catch |err| return failure(err);
    return if (document.scie.jump.size <= payload_end) document.scie.jump.size else error.CorruptManifest;
}

/// Parses the JSON `text`.
pub fn parse(arena: std.mem.Allocator, text: []const u8, payload_end: u64) Error!Manifest {
    const options: std.json.ParseOptions = .{ .ignore_unknown_fields = true };
    const version = std.json.parseFromSliceLeaky(
        struct { scie: struct { format: u32 } },
        arena,
        text,
        options,
    ) catch |err| return failure(err);
    if (version.scie.format != format_supported) return error.NewerFormat;
    const document = std.json.parseFromSliceLeaky(Document, arena, text, options) catch |err| return failure(err);

    var manifest = document.scie.lift;
    manifest.ptex = document.ptex;
    for (manifest.lazy) |part| if (!isDigest(part.digest)) return error.CorruptManifest;
    for (manifest.files) |file| {
        if (!isDigest(file.digest) or file.offset > payload_end or file.size > payload_end - file.offset) {
            return error.CorruptManifest;
        }
    }
    if (manifest.libc) |libc| for (libc.plans.map.values()) |digest| {
        if (!isDigest(digest)) return error.CorruptManifest;
    };
    return manifest;
}

fn failure(err: anyerror) Error {
    return if (err == error.OutOfMemory) error.OutOfMemory else error.CorruptManifest;
}

/// A digest becomes the name of a directory, so it must consist of hexadecimal digits.
pub fn isDigest(text: []const u8) bool {
    return text.len == 64 and isHexadecimal(text);
}

/// Whether `text` is a valid name of an installation.
pub fn isInstalledName(text: []const u8) bool {
    return text.len == installed_name_length and isHexadecimal(text);
}

fn isHexadecimal(text: []const u8) bool {
    for (text) |character| switch (character) {
        '0'...'9', 'a'...'f' => {},
        else => return false,
    };
    return true;
}

const digest_for_tests = "0123456789abcdef" ** 4;
const text_for_tests = withChecksum(
    \\{"scie":{"format":1,"lift":{"name":"tool","files":[{"name":"cpython","kind":"interpreter","digest":"
++ digest_for_tests ++
    \\","offset":1,"size":2,"unpacked":3,"unknown":[]}],"boot":{"commands":{"":{"exe":"{cpython}/bin/python",
++
    \\"args":["-s"],"env":{"=PYTHONPATH":null,"A":"b"}}}}}}}
);

fn withChecksum(comptime text: []const u8) []const u8 {
    @setEvalBranchQuota(100_000);
    const body = text[0 .. text.len - 1];
    return "\n" ++ body ++ std.fmt.comptimePrint(",\"crc32\":\"{x:0>8}\"}}\n", .{crc32(0, body)});
}

fn parsed(arena: std.mem.Allocator, tail: []const u8) Error!Manifest {
    var tmp = testing.tmpDir(.{});
    defer tmp.cleanup();
    const file = tmp.dir.createFile("scie", .{ .read = true }) catch return error.NoManifest;
    defer file.close();
    file.writeAll(tail) catch return error.NoManifest;
    return read(arena, file, tail.len);
}

fn withEnd(comptime text: []const u8) []const u8 {
    const length = [2]u8{ text.len & 0xff, text.len >> 8 };
    return "PK\x05\x06" ++ "\x00" ** 16 ++ length ++ text;
}

test "the manifest is the comment of the last zip, however much lies before it" {
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    inline for (.{ 0, 10, 5000, 200_000 }) |before| {
        const front = try arena.allocator().alloc(u8, before);
        @memset(front, 'P');
        const tail = try std.mem.concat(arena.allocator(), u8, &.{ front, comptime withEnd(text_for_tests) });
        const manifest = try parsed(arena.allocator(), tail);
        try testing.expectEqualStrings("tool", manifest.name);
        try testing.expectEqual(Kind.interpreter, manifest.find("cpython").?.kind);
        const command = manifest.boot.commands.map.get("").?;
        try testing.expectEqualStrings("-s", command.args[0]);
        try testing.expectEqual(@as(?[]const u8, null), command.env.map.get("=PYTHONPATH").?);
    }
}

test "a long manifest is read completely" {
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    const long = comptime withEnd("\n" ** 60_000 ++ text_for_tests);
    try testing.expectEqualStrings("tool", (try parsed(arena.allocator(), long)).name);
}

test "everything but a manifest is refused" {
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    try testing.expectError(error.NoManifest, parsed(arena.allocator(), "an ordinary file, too short for a zip"));
    try testing.expectError(error.NoManifest, parsed(arena.allocator(), "ordinary" ** 20_000));
    try testing.expectError(error.NoManifest, parsed(arena.allocator(), comptime withEnd("")));
    try testing.expectError(error.CorruptManifest, parsed(arena.allocator(), comptime withEnd("{\"scie\":")));
    try testing.expectError(error.CorruptManifest, parsed(arena.allocator(), comptime withEnd(withChecksum("{\"scie\":{\"format\":1}}"))));
    try testing.expectError(error.NewerFormat, parsed(arena.allocator(), comptime withEnd(withChecksum("{\"scie\":{\"format\":2}}"))));
    try testing.expectError(error.CorruptManifest, parsed(arena.allocator(), comptime withEnd("{\"scie\":{\"format\":2}}")));
    const whole = withEnd(text_for_tests);
    for (0..whole.len) |length| _ = parsed(arena.allocator(), whole[0..length]) catch continue;
}
