//! The launcher: the native program at the start of a scie.
//!
//! It runs on the user's machine before any Python, on Linux without a libc. A warm start reads the tail of its own
//! file, sees that the parts are installed and becomes the application. A cold start installs them first.

const std = @import("std");
const base_directory = @import("base.zig");
const Boot = @import("boot.zig").Boot;
const command = @import("command.zig");
const command_list = @import("command_list.zig");
const dotenv = @import("dotenv.zig");
const entry_content = @import("entry.zig");
const environment = @import("environment.zig");
const install = @import("install.zig");
const last_use = @import("last_use.zig");
const libc = @import("libc.zig");
const library_path = @import("library_path.zig");
const locate = @import("locate.zig");
const manifest = @import("manifest.zig");
const memory_base = @import("memory_base.zig");
const messages = @import("messages.zig");
const notices = @import("notices.zig");
const process = @import("process.zig");
const report = @import("report.zig");
const request = @import("request.zig");
const tools = @import("tools.zig");

pub const std_options: std.Options = .{
    // The application inherits the signal dispositions of this process, including SIGPIPE's.
    .keep_sigpipe = true,
};

/// The memory of a warm start. The stack may be too small for it. Larger requests go to the system.
var first_memory: std.heap.StackFallbackAllocator(64 << 10) = undefined;

pub fn main() void {
    if (process.raiseStackLimit()) |limit| messages.stackTooSmall(limit);
    first_memory.fallback_allocator = std.heap.page_allocator;
    first_memory.get_called = if (@TypeOf(first_memory.get_called) == void) {} else false;
    var arena: std.heap.ArenaAllocator = .init(first_memory.get());
    run(arena.allocator()) catch |err| switch (err) {
        error.OutOfMemory => report.fatal("scie", "out of memory", .{}),
    };
}

/// Becomes the application. Returns only an error; `noreturn` with an error crashes the compiler of Zig 0.15.2.
fn run(arena: std.mem.Allocator) error{OutOfMemory}!void {
    const arguments = process.ownArguments(arena) catch return error.OutOfMemory;
    const argv0: [:0]const u8 = if (arguments.len > 0) arguments[0] else "scie";
    const called = std.fs.path.basename(argv0);

    var path_buffer: [std.fs.max_path_bytes]u8 = undefined;
    const executable = locate.open(&path_buffer) catch |err| messages.selfNotFound(called, err);
    var built = manifest.read(arena, executable.file, executable.payload_end) catch |err| {
        const requested = arguments.len == 2 and std.mem.eql(u8, arguments[1], request.argument);
        if (err == error.NoManifest and requested) try request.run(arena);
        messages.manifestUnreadable(called, executable.path, err);
    };
    var variables = environment.inherit(arena) catch return error.OutOfMemory;
    const context: command.Context = .{
        .lift = built,
        .executable = executable.path,
        .argv0 = argv0,
        .environment = &variables,
    };
    built.base = command.expandBase(arena, &context) catch |err| messages.placeholderUnknown(built.name, err);
    var places = try base_directory.candidates(arena, variables, built.base, executable.is_private);
    var lift = try libc.selectLibc(arena, built, variables, places);
    try tools.run(arena, executable, lift, variables, arguments[@min(arguments.len, 1)..]);

    if (lift.boot.load_dotenv) {
        if (try dotenv.load(arena, &variables)) |fault| messages.dotenvInvalid(lift.name, fault);
        lift.base = command.expandBase(arena, &context) catch |err| messages.placeholderUnknown(lift.name, err);
        places = try base_directory.candidates(arena, variables, lift.base, executable.is_private);
    }
    const first: ?[]const u8 = if (arguments.len > 1) arguments[1] else null;
    const choice = command.choose(lift, variables, argv0, first) orelse {
        const asked = variables.get("SCIE_BOOT");
        if (asked == null and command_list.isHelp(first)) command_list.printHelp(lift);
        messages.noCommand(lift, asked, first);
    };
    var launch: Launch = .{
        .arena = arena,
        .executable = executable,
        .lift = lift,
        .command = choice.command,
        .argv0 = argv0,
        .variables = &variables,
        .places = places,
        .user_arguments = arguments[@min(arguments.len, 1 + choice.consumed)..],
    };
    var remaining = places;
    var refusals: std.ArrayList(base_directory.Refusal) = .empty;
    while (true) {
        const base = try chooseBase(arena, executable, lift, variables, remaining, &refusals);
        const damage = try launch.startFrom(base);
        const candidate = base_directory.findCandidate(remaining, base.path);
        try refusals.append(arena, .{ .candidate = candidate, .reason = damage, .unexpected = true });
        remaining = try base_directory.without(arena, remaining, base.path);
    }
}

/// What to start, independent of the base directory.
const Launch = struct {
    arena: std.mem.Allocator,
    executable: locate.Executable,
    lift: manifest.Manifest,
    command: manifest.Command,
    argv0: [:0]const u8,
    /// The environment that the executable was started with.
    variables: *const environment.Environment,
    places: []const base_directory.Candidate,
    /// The user's arguments.
    user_arguments: []const [:0]const u8,

    /// Becomes the application, from the installation in `base`, after installing it if needed. Returns the damaged
    /// path if the installation is damaged and cannot be repaired.
    fn startFrom(launch: Launch, base: base_directory.Base) error{OutOfMemory}![]const u8 {
        // The parts that were installed before this start.
        var existing = launch.lift.files;
        if (base.age) |age| {
            if (try launch.refresh(base, age)) |damage| return damage;
        } else {
            existing = try launch.installedParts(base);
            try installAll(launch.arena, launch.executable, launch.lift, base);
            if (try launch.checkExisting(base, existing)) |damage| return damage;
        }
        const failure = try launch.become(base);
        if (existing.len == 0 or !launch.lift.hasParts() or !failure.isFileProblem()) launch.fail(base, failure);
        if (try launch.check(base, launch.lift.files, .start_failed)) |damage| return damage;
        launch.fail(base, try launch.become(base));
    }

    fn fail(launch: Launch, base: base_directory.Base, failure: Failure) noreturn {
        messages.notStarted(launch.lift, launch.executable.path, base.path, failure.program, failure.err);
    }

    fn installedParts(launch: Launch, base: base_directory.Base) error{OutOfMemory}![]const manifest.File {
        var found: std.ArrayList(manifest.File) = .empty;
        for (launch.lift.files) |file| {
            if (base_directory.isInstalled(base.directory, file)) try found.append(launch.arena, file);
        }
        return found.items;
    }

    /// Checks the parts that exist while others are missing: another application installed them, or a cleaner removed
    /// the others. Returns the damage that it cannot repair.
    fn checkExisting(launch: Launch, base: base_directory.Base, existing: []const manifest.File) error{OutOfMemory}!?[]const u8 {
        for (existing) |file| {
            const used = base_directory.lastUse(base.directory, file) orelse continue;
            const reason: install.CheckReason = if (last_use.ageOf(used) == .uncertain) .uncertain else .routine;
            if (try launch.check(base, &.{file}, reason)) |damage| return damage;
        }
        return null;
    }

    /// Checks, now and then, that the installation is still complete, and records once a day that it is in use.
    /// Returns the damage that it cannot repair.
    fn refresh(launch: Launch, base: base_directory.Base, age: last_use.Age) error{OutOfMemory}!?[]const u8 {
        // A permanent installation was written to disk when it was made, and never ages.
        if (!launch.lift.hasParts()) return null;
        if (launch.checkReason(base, age)) |reason| {
            if (try launch.check(base, launch.lift.files, reason)) |damage| return damage;
        }
        if (age == .old and base.scope != .host_read_only) for (launch.lift.files) |file| {
            _ = base_directory.touch(base.directory, file);
        };
        return null;
    }

    /// Why a warm start checks the installation; null if it need not. Cleaners delete files in a temporary directory
    /// at any time; elsewhere a daily check is enough. Python prints no hint if its first module is missing, so each
    /// start looks for that.
    fn checkReason(launch: Launch, base: base_directory.Base, age: last_use.Age) ?install.CheckReason {
        if (age == .uncertain) return .uncertain;
        const needs_touch = age == .old and base.scope != .host_read_only;
        if (needs_touch or base.temporary) return .routine;
        for (launch.lift.files) |file| if (!base_directory.hasFirstModule(base.directory, file)) return .first_module_missing;
        return null;
    }

    /// Checks the installed parts `files` in `base`, and restores what is missing. Returns the damage that it cannot
    /// repair.
    fn check(
        launch: Launch,
        base: base_directory.Base,
        files: []const manifest.File,
        reason: install.CheckReason,
    ) error{OutOfMemory}!?[]const u8 {
        var reader = entry_content.Reader.init(launch.executable.file) catch return error.OutOfMemory;
        defer reader.deinit();
        for (files) |file| {
            var installation = installationOf(launch.arena, launch.executable, launch.lift, file, base);
            const sound = installation.check(&reader, reason) catch messages.notRepaired(installation, launch.executable.path, launch.lift.tools);
            if (!sound) return try std.fmt.allocPrint(launch.arena, "its installation is damaged ({s}) and not writable", .{
                installation.failure.?.subject,
            });
        }
        return null;
    }

    /// Becomes the application. Returns only if the program cannot be started.
    fn become(launch: Launch, base: base_directory.Base) error{OutOfMemory}!Failure {
        const arena = launch.arena;
        const lift = launch.lift;
        var boot: Boot = .{
            .arena = arena,
            .executable = launch.executable,
            .base = base,
            .places = launch.places,
            .finish = adaptToBase,
            .context = .{
                .lift = lift,
                .executable = launch.executable.path,
                .argv0 = launch.argv0,
                .base = base.path,
                .environment = launch.variables,
            },
        };
        boot.context.boot = &boot;
        const prepared = command.prepare(arena, launch.command, &boot.context) catch |err| switch (err) {
            error.OutOfMemory => return error.OutOfMemory,
            error.ProgramNotStarted => return .{ .program = boot.failure.?.program, .err = boot.failure.?.err },
            else => messages.placeholderUnknown(lift.name, err),
        };
        // A second attempt starts from the same environment as the first.
        var variables = environment.clone(arena, launch.variables.*) catch return error.OutOfMemory;
        // The command may set it again, to start another command of this executable.
        variables.remove("SCIE_BOOT");
        prepared.apply(arena, &variables, &boot.context) catch |err| messages.placeholderUnknown(lift.name, err);
        try adaptToBase(&boot, &variables);
        const all = try std.mem.concat(arena, [:0]const u8, &.{ prepared.arguments, launch.user_arguments });
        return .{ .program = all[0], .err = process.start(arena, all, &variables) };
    }
};

/// Changes the environment of a program as the base directory needs it.
fn adaptToBase(boot: *const Boot, variables: *environment.Environment) error{OutOfMemory}!void {
    const base = boot.base;
    memory_base.exportBase(base, variables) catch return error.OutOfMemory;
    // With the bundled C library, the program contains the path of its libraries.
    const origin_unknown = !boot.executable.found_in_proc or base.memory == .executables;
    const lift = boot.context.lift;
    if (origin_unknown and lift.libc == null) try library_path.prepend(boot.arena, variables, base.path, lift.files);
}

/// A program that could not be started.
const Failure = struct {
    program: []const u8,
    err: anyerror,

    /// Whether a damaged file may be the cause.
    fn isFileProblem(failure: Failure) bool {
        return switch (failure.err) {
            error.FileNotFound, error.NotDir, error.IsDir, error.SymLinkLoop => true,
            error.AccessDenied, error.PermissionDenied, error.InvalidExe, error.FileSystem => true,
            else => false,
        };
    }
};

/// Chooses the first directory that contains the installations or can receive them.
fn chooseBase(
    arena: std.mem.Allocator,
    executable: locate.Executable,
    lift: manifest.Manifest,
    variables: environment.Environment,
    places: []const base_directory.Candidate,
    refusals: *std.ArrayList(base_directory.Refusal),
) error{OutOfMemory}!base_directory.Base {
    if (!lift.hasParts()) {
        return base_directory.findInstalled(places, lift.files) orelse messages.installationUnusable(arena, lift, executable.path);
    }
    const memory = memory_base.Setting.read(variables) orelse messages.memorySettingUnknown(lift.name);
    const found = if (memory == .always) null else try base_directory.choose(arena, places, lift.files, refusals);
    const base = found orelse {
        const in_memory = if (memory == .never) null else try memory_base.make(arena, places, lift.files, refusals);
        if (in_memory != null and memory == .unset) messages.inMemory(lift);
        return in_memory orelse messages.noBase(arena, lift.name, refusals.items);
    };
    for (refusals.items) |refusal| if (refusal.isReported()) {
        const candidate = refusal.candidate;
        const setting = if (candidate.setting) |name| try std.fmt.allocPrint(arena, " ({s})", .{name}) else "";
        const text = try std.fmt.allocPrint(arena, "cannot use {s}{s}: {s}", .{ candidate.path, setting, refusal.reason });
        if (notices.isNew(base.directory, text) or base.age == null) report.note(lift.name, "{s}; using {s} instead", .{ text, base.path });
    };
    return base;
}

/// Installs the missing parts: the cold start.
fn installAll(
    arena: std.mem.Allocator,
    executable: locate.Executable,
    lift: manifest.Manifest,
    base: base_directory.Base,
) error{OutOfMemory}!void {
    process.occupyStandardHandles();
    const signal = process.ignoreFileSizeSignal();
    defer process.restoreFileSizeSignal(signal);
    const installations = try arena.alloc(install.Installation, lift.files.len);
    for (lift.files, installations) |file, *slot| slot.* = installationOf(arena, executable, lift, file, base);
    install.installMissing(arena, installations) catch |err| switch (err) {
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
        .shows_progress = !lift.boot.quiet,
    };
}

test {
    _ = @import("ancestors.zig");
    _ = base_directory;
    _ = @import("file_changes.zig");
    _ = @import("lazy.zig");
    _ = @import("binding_result.zig");
    _ = @import("boot.zig");
    _ = @import("child.zig");
    _ = command_list;
    _ = @import("nearest.zig");
    _ = dotenv;
    _ = @import("regular_expression.zig");
    _ = @import("small_file.zig");
    _ = last_use;
    _ = command;
    _ = environment;
    _ = install;
    _ = libc;
    _ = locate;
    _ = @import("mach_o.zig");
    _ = manifest;
    _ = library_path;
    _ = process;
    _ = report;
    _ = request;
    _ = notices;
    _ = tools;
    _ = @import("comparison.zig");
    _ = @import("control_group.zig");
    _ = @import("crc32.zig");
    _ = @import("damage.zig");
    _ = entry_content;
    _ = @import("file_status.zig");
    _ = @import("filesystem.zig");
    _ = @import("buffer.zig");
    _ = memory_base;
    _ = @import("memory_files.zig");
    _ = @import("private_mount.zig");
    _ = @import("patch.zig");
    _ = @import("pe.zig");
    _ = @import("placeholders.zig");
    _ = @import("plan.zig");
    _ = @import("rendering.zig");
    _ = @import("sha256.zig");
    _ = @import("users.zig");
    _ = @import("windows_console.zig");
    _ = @import("zip.zig");
    _ = @import("zstd.zig");
}
