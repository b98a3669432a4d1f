//! The launcher: the native program at the head of a scie.
//!
//! Runs on the user's machine before any Python, on Linux without a libc. Warm, it reads the tail of its own
//! file, sees that the installations are there and becomes the application. Cold, it installs them first.

const std = @import("std");
const base_directory = @import("base.zig");
const clock = @import("clock.zig");
const command = @import("command.zig");
const environment = @import("environment.zig");
const install = @import("install.zig");
const locate = @import("locate.zig");
const manifest = @import("manifest.zig");
const process = @import("process.zig");
const report = @import("report.zig");
const tools = @import("tools.zig");

pub const std_options: std.Options = .{
    // The application inherits what this process was given, SIGPIPE's disposition too.
    .keep_sigpipe = true,
};

/// What a warm start needs lies in this much of the stack; more than that comes from the system.
const stack_length = 64 << 10;

pub fn main() void {
    var stack = std.heap.stackFallback(stack_length, std.heap.page_allocator);
    var arena: std.heap.ArenaAllocator = .init(stack.get());
    run(arena.allocator()) catch |err| switch (err) {
        error.OutOfMemory => report.fatal("scie", "out of memory", .{}),
    };
}

/// Becomes the application. It never returns but for an error; `noreturn` beside an error crashes the compiler of
/// Zig 0.15.2.
fn run(arena: std.mem.Allocator) error{OutOfMemory}!void {
    const arguments = process.ownArguments(arena) catch return error.OutOfMemory;
    const argv0: [:0]const u8 = if (arguments.len > 0) arguments[0] else "scie";
    const called = std.fs.path.basename(argv0);

    var path_buffer: [std.fs.max_path_bytes]u8 = undefined;
    const executable = locate.open(&path_buffer) catch |err| switch (err) {
        error.NotFound => report.fatal(
            called,
            "this executable cannot find its own file\nhint: mount /proc, or start it by its full path",
            .{},
        ),
        error.Unreadable => report.fatal(
            called,
            "this executable may not read its own file\nhint: give it read permission: chmod +r",
            .{},
        ),
    };
    const lift = manifest.read(arena, executable.file, executable.payload_end) catch |err| {
        fatalManifest(called, executable.path, err);
    };
    var variables = environment.inherit(arena) catch return error.OutOfMemory;
    try tools.run(arena, executable, lift, variables, arguments[@min(arguments.len, 1)..]);

    const places = try base_directory.candidates(arena, variables, lift.base);
    const base = try chooseBase(arena, executable, lift, places);
    if (base.last_use) |last_use| {
        freshen(arena, executable, lift, base, last_use);
    } else {
        installAll(arena, executable, lift, base);
    }

    const first: ?[]const u8 = if (arguments.len > 1) arguments[1] else null;
    const choice = command.choose(lift, variables, argv0, first) orelse fatalCommand(lift);
    const context: command.Context = .{
        .lift = lift,
        .executable = executable.path,
        .argv0 = argv0,
        .base = base.path,
        .environment = &variables,
    };
    const own = command.arguments(arena, choice.command, &context) catch |err| fatalPlaceholder(lift.name, err);
    command.applyEnvironment(arena, choice.command, &context) catch |err| fatalPlaceholder(lift.name, err);
    const users = arguments[@min(arguments.len, 1 + choice.consumed)..];
    const all = try std.mem.concat(arena, [:0]const u8, &.{ own, users });
    fatalStart(lift.name, all[0], process.start(arena, all, &variables));
}

/// The first directory that holds the installations or will have them.
fn chooseBase(
    arena: std.mem.Allocator,
    executable: locate.Executable,
    lift: manifest.Manifest,
    places: []const base_directory.Candidate,
) error{OutOfMemory}!base_directory.Base {
    if (!lift.holdsParts()) {
        return base_directory.holding(places, lift.files) orelse fatalMoved(arena, lift, executable.path);
    }
    var refusals: std.ArrayList(base_directory.Refusal) = .empty;
    const base = try base_directory.choose(arena, places, lift.files, &refusals) orelse
        fatalBase(arena, lift.name, refusals.items);
    if (base.last_use == null) for (refusals.items) |refusal| if (refusal.candidate.setting) |setting| {
        report.note(lift.name, "{s} ({s}) is not used: {s}; {s} is", .{
            refusal.candidate.path, setting, refusal.reason, base.path,
        });
    };
    return base;
}

/// The cold start: installs what is missing.
fn installAll(
    arena: std.mem.Allocator,
    executable: locate.Executable,
    lift: manifest.Manifest,
    base: base_directory.Base,
) void {
    const signal = process.ignoreFileSizeSignal();
    defer process.restoreFileSizeSignal(signal);
    for (lift.files) |file| {
        var installation = installationOf(arena, executable, lift, file, base);
        installation.make() catch fatalInstall(installation, executable.path);
    }
}

fn installationOf(
    arena: std.mem.Allocator,
    executable: locate.Executable,
    lift: manifest.Manifest,
    file: manifest.File,
    base: base_directory.Base,
) install.Installation {
    return .{
        .arena = arena,
        .application = lift.name,
        .executable = executable.file,
        .file = file,
        .base = base,
    };
}

/// Now and then a warm start has a little to do: once after each start of the system it looks whether a power
/// cut left files short, and once a day it tells that the installations are in use.
fn freshen(
    arena: std.mem.Allocator,
    executable: locate.Executable,
    lift: manifest.Manifest,
    base: base_directory.Base,
    last_use: clock.Time,
) void {
    // A permanent installation was made sure when it was made, and never gets old.
    if (!lift.holdsParts()) return;
    if (clock.isBeforeSystemStart(last_use)) {
        for (lift.files) |file| {
            var installation = installationOf(arena, executable, lift, file, base);
            installation.recheck() catch fatalInstall(installation, executable.path);
        }
    } else if (clock.isLongAgo(last_use)) {
        for (lift.files) |file| _ = base_directory.touch(base.directory, file);
    }
}

fn fatalManifest(called: []const u8, path: []const u8, err: manifest.Error) noreturn {
    switch (err) {
        error.NoManifest => report.fatal(
            called,
            "{s} holds nothing to start: it is a launcher alone, or the file was cut short" ++
                "\nhint: copy or download the file again",
            .{path},
        ),
        error.NewerFormat => report.fatal(
            called,
            "{s} was put together for a newer launcher than its own\nhint: build it again with one czscie",
            .{path},
        ),
        error.CorruptManifest => report.fatal(
            called,
            "the manifest at the end of {s} is damaged\nhint: copy or download the file again",
            .{path},
        ),
        else => report.fatal(called, "{s} cannot be read: {s}", .{ path, report.words(err) }),
    }
}

fn fatalBase(arena: std.mem.Allocator, name: []const u8, refusals: []const base_directory.Refusal) noreturn {
    var lines: std.ArrayList(u8) = .empty;
    for (refusals) |refusal| {
        lines.appendSlice(arena, "\n  ") catch {};
        lines.appendSlice(arena, refusal.candidate.path) catch {};
        lines.appendSlice(arena, ": ") catch {};
        lines.appendSlice(arena, refusal.reason) catch {};
    }
    report.fatal(
        name,
        "there is no directory to unpack into; tried{s}" ++
            "\nhint: set CZSCIE_BASE to a directory of your own that can be written to and executed from",
        .{lines.items},
    );
}

/// The executable of a permanent installation has nothing to install.
fn fatalMoved(arena: std.mem.Allocator, lift: manifest.Manifest, executable: []const u8) noreturn {
    const path = lift.base orelse "its directory";
    const reason = base_directory.reasonNotToStart(arena, path, lift.files) catch "out of memory";
    report.fatal(
        lift.name,
        "{s} starts what is installed in {s}, which cannot be used: {s}" ++
            "\nhint: install it again with the file that it was installed from",
        .{ executable, path, reason },
    );
}

fn fatalInstall(installation: install.Installation, executable: []const u8) noreturn {
    const name = installation.application;
    const base = installation.base.path;
    const failure = installation.failure;
    switch (failure.err) {
        error.CorruptZip, error.CorruptPlan, error.CorruptEntry, error.CorruptFrame => report.fatal(
            name,
            "{s} is damaged, in {s}\nhint: copy or download the file again",
            .{ executable, failure.subject },
        ),
        error.NoSpaceLeft, error.DiskQuota => report.fatal(
            name,
            "cannot unpack {s} into {s}: {s}\nhint: make room there, or set CZSCIE_BASE to another directory",
            .{ failure.subject, base, report.words(failure.err) },
        ),
        else => report.fatal(
            name,
            "cannot unpack {s} into {s}: {s}\nhint: set CZSCIE_BASE to another directory",
            .{ failure.subject, base, report.words(failure.err) },
        ),
    }
}

fn fatalCommand(lift: manifest.Manifest) noreturn {
    var buffer: [2048]u8 = undefined;
    var lines: std.Io.Writer = .fixed(&buffer);
    for (lift.boot.commands.map.keys(), lift.boot.commands.map.values()) |name, each| {
        lines.print("\n  {s}  {s}", .{ name, each.description orelse "" }) catch break;
    }
    report.fatal(
        lift.name,
        "no command was chosen; there are{s}\nhint: give one as the first argument or in SCIE_BOOT",
        .{lines.buffered()},
    );
}

fn fatalPlaceholder(name: []const u8, err: anyerror) noreturn {
    switch (err) {
        error.UnknownPlaceholder => report.fatal(
            name,
            "the boot command holds a placeholder that this launcher does not know" ++
                "\nhint: build the file again with one czscie",
            .{},
        ),
        else => report.fatal(name, "{s}", .{report.words(err)}),
    }
}

fn fatalStart(name: []const u8, program: []const u8, err: anyerror) noreturn {
    const there = if (std.fs.cwd().access(program, .{})) |_| true else |_| false;
    if (err == error.FileNotFound and there) report.fatal(
        name,
        "{s} cannot start: its loader is missing, so this host has no C library of the kind it needs" ++
            "\nhint: `czscie inspect` tells what the file needs; build it for this host's platform",
        .{program},
    );
    report.fatal(name, "{s} cannot be started: {s}", .{ program, report.words(err) });
}

test {
    _ = base_directory;
    _ = clock;
    _ = command;
    _ = environment;
    _ = install;
    _ = locate;
    _ = manifest;
    _ = process;
    _ = tools;
    _ = @import("crc32.zig");
    _ = @import("entry.zig");
    _ = @import("filesystem.zig");
    _ = @import("placeholders.zig");
    _ = @import("plan.zig");
    _ = @import("rendering.zig");
    _ = @import("sha256.zig");
    _ = @import("zip.zig");
    _ = @import("zstd.zig");
}
