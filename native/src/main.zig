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
const libc = @import("libc.zig");
const locate = @import("locate.zig");
const manifest = @import("manifest.zig");
const memory_base = @import("memory_base.zig");
const messages = @import("messages.zig");
const origin = @import("origin.zig");
const process = @import("process.zig");
const report = @import("report.zig");
const request = @import("request.zig");
const told = @import("told.zig");
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
    const executable = locate.open(&path_buffer) catch |err| messages.selfNotFound(called, err);
    const built = manifest.read(arena, executable.file, executable.payload_end) catch |err| {
        const requested = arguments.len == 2 and std.mem.eql(u8, arguments[1], request.argument);
        if (err == error.NoManifest and requested) try request.carryOut(arena);
        messages.manifestUnreadable(called, executable.path, err);
    };
    var variables = environment.inherit(arena) catch return error.OutOfMemory;
    const places = try base_directory.candidates(arena, variables, built.base, executable.secret);
    const lift = try libc.settle(arena, built, variables, places);
    try tools.run(arena, executable, lift, variables, arguments[@min(arguments.len, 1)..]);

    const base = try chooseBase(arena, executable, lift, variables, places);
    if (base.last_use) |last_use| {
        freshen(arena, executable, lift, base, last_use);
    } else {
        try installAll(arena, executable, lift, base);
    }

    const first: ?[]const u8 = if (arguments.len > 1) arguments[1] else null;
    const choice = command.choose(lift, variables, argv0, first) orelse messages.noCommand(lift);
    const context: command.Context = .{
        .lift = lift,
        .executable = executable.path,
        .argv0 = argv0,
        .base = base.path,
        .environment = &variables,
    };
    const own = command.arguments(arena, choice.command, &context) catch |err| messages.placeholderUnknown(lift.name, err);
    command.applyEnvironment(arena, choice.command, &context) catch |err| messages.placeholderUnknown(lift.name, err);
    try memory_base.pass(base, &variables);
    // What starts with the bundled C library has the path of its libraries in it.
    const lost = !executable.by_proc or base.memory == .executables;
    if (lost and lift.libc == null) try origin.replace(arena, &variables, base.path, lift.files);
    const users = arguments[@min(arguments.len, 1 + choice.consumed)..];
    const all = try std.mem.concat(arena, [:0]const u8, &.{ own, users });
    messages.notStarted(lift.name, all[0], process.start(arena, all, &variables));
}

/// The first directory that holds the installations or will have them.
fn chooseBase(
    arena: std.mem.Allocator,
    executable: locate.Executable,
    lift: manifest.Manifest,
    variables: environment.Environment,
    places: []const base_directory.Candidate,
) error{OutOfMemory}!base_directory.Base {
    if (!lift.holdsParts()) {
        return base_directory.holding(places, lift.files) orelse messages.installationUnusable(arena, lift, executable.path);
    }
    const memory = memory_base.Setting.read(variables) orelse messages.memorySettingUnknown(lift.name);
    var refusals: std.ArrayList(base_directory.Refusal) = .empty;
    const found = if (memory == .always) null else try base_directory.choose(arena, places, lift.files, &refusals);
    const base = found orelse {
        const in_memory = if (memory == .never) null else try memory_base.make(arena, places, lift.files, &refusals);
        if (in_memory != null and memory == .unset) messages.inMemory(lift);
        return in_memory orelse messages.noBase(arena, lift.name, refusals.items);
    };
    for (refusals.items) |refusal| if (refusal.candidate.setting) |setting| {
        const text = try std.fmt.allocPrint(arena, "{s} ({s}) is not used: {s}", .{
            refusal.candidate.path, setting, refusal.reason,
        });
        if (told.isNews(base.directory, text) or base.last_use == null) report.note(lift.name, "{s}; {s} is", .{ text, base.path });
    };
    return base;
}

/// The cold start: installs what is missing.
fn installAll(
    arena: std.mem.Allocator,
    executable: locate.Executable,
    lift: manifest.Manifest,
    base: base_directory.Base,
) error{OutOfMemory}!void {
    process.guardStandardHandles();
    const signal = process.ignoreFileSizeSignal();
    defer process.restoreFileSizeSignal(signal);
    const installations = try arena.alloc(install.Installation, lift.files.len);
    for (lift.files, installations) |file, *slot| slot.* = installationOf(arena, executable, lift, file, base);
    install.makeAll(arena, installations) catch |err| switch (err) {
        error.OutOfMemory => return error.OutOfMemory,
        error.Failed => for (installations) |each| if (each.failure) |failure| {
            messages.notInstalled(each, failure, executable.path);
        },
    };
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
    if (!lift.holdsParts() or base.whose == .hosts_to_read) return;
    if (clock.isBeforeSystemStart(last_use)) {
        for (lift.files) |file| {
            var installation = installationOf(arena, executable, lift, file, base);
            installation.recheck() catch messages.notInstalled(installation, installation.failure.?, executable.path);
        }
    } else if (clock.isLongAgo(last_use)) {
        for (lift.files) |file| _ = base_directory.touch(base.directory, file);
    }
}

test {
    _ = @import("ancestors.zig");
    _ = base_directory;
    _ = clock;
    _ = command;
    _ = environment;
    _ = install;
    _ = libc;
    _ = locate;
    _ = manifest;
    _ = origin;
    _ = process;
    _ = request;
    _ = told;
    _ = tools;
    _ = @import("crc32.zig");
    _ = @import("entry.zig");
    _ = @import("filesystem.zig");
    _ = @import("memory.zig");
    _ = memory_base;
    _ = @import("memory_files.zig");
    _ = @import("private_mount.zig");
    _ = @import("patch.zig");
    _ = @import("placeholders.zig");
    _ = @import("plan.zig");
    _ = @import("rendering.zig");
    _ = @import("sha256.zig");
    _ = @import("users.zig");
    _ = @import("zip.zig");
    _ = @import("zstd.zig");
}
