//! What boot commands keep below the base directory: what bindings found out and made, and the manifest and the
//! launcher as files.
//!
//!     boot/<id>/<fingerprint>            the result of a binding; complete if it exists
//!     boot/<id>/<fingerprint>.lock       locked while the binding runs
//!     boot/<id>/<fingerprint>.partial/   what the binding writes to, gone when it has ended
//!     boot/<id>/bindings/                {scie.bindings}
//!     boot/<id>/<checksum>/              {scie.lift} and {scie.jump}; the checksum is the manifest's
//!
//! The id stands for the name of the lift, its installed parts and its bindings.

const std = @import("std");
const builtin = @import("builtin");
const testing = std.testing;
const Allocator = std.mem.Allocator;
const base_directory = @import("base.zig");
const Result = @import("binding_result.zig").Result;
const binding_result = @import("binding_result.zig");
const command = @import("command.zig");
const entry_content = @import("entry.zig");
const environments = @import("environment.zig");
const Environment = environments.Environment;
const file_changes = @import("file_changes.zig");
const file_status = @import("file_status.zig");
const install = @import("install.zig");
const last_use = @import("last_use.zig");
const launcher_file = @import("tools/launcher.zig");
const locate = @import("locate.zig");
const locking = @import("lock.zig");
const Lock = locking.Lock;
const manifest = @import("manifest.zig");
const messages = @import("messages.zig");
const placeholders = @import("placeholders.zig");
const process = @import("process.zig");
const report = @import("report.zig");
const Sha256 = @import("sha256.zig").Sha256;
const small_file = @import("small_file.zig");

pub const directory_name = "boot";
const bindings_name = "bindings";

/// Bindings that need bindings. czscie refuses to build longer chains.
const running_max = 8;

/// Of an id, a fingerprint or a checksum with a suffix.
const Name = [manifest.installed_name_length + 32]u8;

pub const Boot = struct {
    arena: Allocator,
    executable: locate.Executable,
    base: base_directory.Base,
    /// Where else there may be room for results.
    places: []const base_directory.Candidate,
    context: command.Context,
    /// Changes the environment of a binding as that of the application is changed.
    finish: *const fn (boot: *const Boot, environment: *Environment) error{OutOfMemory}!void,
    directory: ?Directory = null,
    results: std.StringArrayHashMapUnmanaged(Result) = .empty,
    /// Bindings that are being prepared or run.
    running: std.ArrayList([]const u8) = .empty,
    /// Of the last error.ProgramNotStarted.
    failure: ?Failure = null,

    const Failure = struct { program: []const u8, err: anyerror };

    const Directory = struct { handle: std.fs.Dir, path: []const u8 };

    /// The value of `{scie.bindings.NAME}` or `{scie.bindings.NAME:KEY}`, null if the binding did not tell KEY. Runs the
    /// binding if it has not run yet.
    pub fn bindingValue(boot: *Boot, text: []const u8) placeholders.Error!?[]const u8 {
        const colon = std.mem.indexOfScalar(u8, text, ':') orelse text.len;
        const result = try boot.resultOf(text[0..colon]);
        return if (colon == text.len) try boot.bindingsPath() else result.get(text[colon + 1 ..]);
    }

    /// The directory for what bindings make.
    pub fn bindingsPath(boot: *Boot) placeholders.Error![]const u8 {
        const directory = try boot.open();
        makePrivate(directory.handle, bindings_name) catch |err| boot.fail(directory, err);
        return std.fs.path.join(boot.arena, &.{ directory.path, bindings_name });
    }

    /// The manifest as a file.
    pub fn liftPath(boot: *Boot) placeholders.Error![]const u8 {
        return boot.extracted("lift.json", writeLift);
    }

    /// The launcher as a program.
    pub fn launcherPath(boot: *Boot) placeholders.Error![]const u8 {
        return boot.extracted(if (builtin.os.tag == .windows) "scie-jump.exe" else "scie-jump", writeLauncher);
    }

    fn resultOf(boot: *Boot, name: []const u8) placeholders.Error!Result {
        if (boot.results.get(name)) |result| return result;
        const prepared = try boot.prepareBinding(name);
        const fingerprint = fingerprintOf(name, prepared);
        const directory = try boot.open();
        const result = try boot.read(directory, &fingerprint) orelse try boot.run(directory, name, &fingerprint, prepared);
        try boot.results.put(boot.arena, name, result);
        return result;
    }

    /// The program, the arguments and the environment of the binding `name`, for which other bindings may run.
    pub fn prepareBinding(boot: *Boot, name: []const u8) placeholders.Error!command.Prepared {
        const binding = boot.context.lift.boot.bindings.map.get(name) orelse return error.UnknownPlaceholder;
        for (boot.running.items) |each| if (std.mem.eql(u8, each, name)) messages.bindingCycle(boot.context.lift, name);
        if (boot.running.items.len == running_max) messages.bindingChain(boot.context.lift, name, running_max);
        try boot.running.append(boot.arena, name);
        defer _ = boot.running.pop();
        return command.prepare(boot.arena, binding, &boot.context) catch |err| switch (err) {
            error.InvalidExpression => messages.placeholderUnknown(boot.context.lift.name, err),
            else => |known| known,
        };
    }

    /// What the binding found out when it ran; null if it has to run.
    fn read(boot: *Boot, directory: Directory, fingerprint: []const u8) error{OutOfMemory}!?Result {
        const text = small_file.read(boot.arena, directory.handle, fingerprint, 4 * binding_result.length_max) catch |err| {
            return if (err == error.OutOfMemory) error.OutOfMemory else null;
        };
        const result = Result.parse(boot.arena, text) catch |err| {
            return if (err == error.OutOfMemory) error.OutOfMemory else null;
        };
        return if (result.isValid()) result else null;
    }

    fn run(
        boot: *Boot,
        directory: Directory,
        name: []const u8,
        fingerprint: []const u8,
        prepared: command.Prepared,
    ) placeholders.Error!Result {
        process.occupyStandardHandles();
        var lock_buffer: Name = undefined;
        const lock = boot.acquire(directory, withSuffix(&lock_buffer, fingerprint, ".lock"), name) catch |err| boot.fail(directory, err);
        defer lock.close();
        if (try boot.read(directory, fingerprint)) |result| return result;

        try boot.restoreFiles();
        var partial_buffer: Name = undefined;
        const partial = withSuffix(&partial_buffer, fingerprint, ".partial");
        directory.handle.deleteTree(partial) catch |err| boot.fail(directory, err);
        makePrivate(directory.handle, partial) catch |err| boot.fail(directory, err);
        const outcome = boot.runIn(directory, partial, prepared) catch |err| switch (err) {
            error.OutOfMemory => return error.OutOfMemory,
            else => {
                directory.handle.deleteTree(partial) catch {};
                boot.failure = .{ .program = prepared.arguments[0], .err = err };
                return error.ProgramNotStarted;
            },
        };
        const result = if (outcome == .ended) try boot.output(directory, partial) else null;
        directory.handle.deleteTree(partial) catch {}; // the next run removes it
        if (result) |found| try boot.record(directory, fingerprint, found);
        return result orelse switch (outcome) {
            .ended => messages.bindingInvalid(boot.context.lift.name, name),
            .failed => |ending| messages.bindingFailed(boot.context.lift.name, ending),
        };
    }

    /// Installs files of the lift again that are missing: a binding may have removed them when it ran before, as
    /// `venv --rm all` of a PEX removes the PEX.
    fn restoreFiles(boot: *Boot) error{OutOfMemory}!void {
        const lift = boot.context.lift;
        if (!lift.hasParts()) return;
        var reader = entry_content.Reader.init(boot.executable.file) catch return error.OutOfMemory;
        defer reader.deinit();
        for (lift.files) |file| {
            if (file.kind != .files) continue;
            var installation: install.Installation = .{
                .arena = boot.arena,
                .application = lift.name,
                .executable = boot.executable.file,
                .file = file,
                .base = boot.base,
            };
            _ = installation.check(&reader, .routine) catch {
                messages.notRepaired(installation, boot.executable.path, lift.tools);
            };
        }
    }

    const Outcome = union(enum) { ended, failed: process.Ending };

    fn runIn(boot: *Boot, directory: Directory, partial: []const u8, prepared: command.Prepared) !Outcome {
        const arena = boot.arena;
        var environment = try environments.clone(arena, boot.context.environment.*);
        try prepared.apply(arena, &environment, &boot.context);
        try environment.put("SCIE_BINDING_ENV", try std.fs.path.join(arena, &.{ directory.path, partial, "env" }));
        try environment.put("SCIE_BINDING_JSON", try std.fs.path.join(arena, &.{ directory.path, partial, "json" }));
        try boot.finish(boot, &environment);
        const ending = try process.run(arena, try located(arena, prepared.arguments, environment), &environment);
        return if (ending.isSuccess()) .ended else .{ .failed = ending };
    }

    /// What the binding wrote to the directory `partial`. Null if that is no valid result.
    fn output(boot: *Boot, directory: Directory, partial: []const u8) error{OutOfMemory}!?Result {
        var written = directory.handle.openDir(partial, .{}) catch |err| boot.fail(directory, err);
        defer written.close();
        const lines = try boot.outputFile(directory, written, "env") orelse return null;
        const json = try boot.outputFile(directory, written, "json") orelse return null;
        return Result.read(boot.arena, lines, json) catch |err| {
            return if (err == error.OutOfMemory) error.OutOfMemory else null;
        };
    }

    /// What the binding wrote to the file `name`; empty if there is none, null if it is too long.
    fn outputFile(boot: *Boot, directory: Directory, written: std.fs.Dir, name: []const u8) error{OutOfMemory}!?[]const u8 {
        return small_file.read(boot.arena, written, name, binding_result.length_max) catch |err| switch (err) {
            error.FileNotFound => "",
            error.FileTooBig => null,
            error.OutOfMemory => error.OutOfMemory,
            else => boot.fail(directory, err),
        };
    }

    /// Gives the result its final name. This comes last: with a result, no later start removes what a run left.
    fn record(boot: *Boot, directory: Directory, fingerprint: []const u8, result: Result) error{OutOfMemory}!void {
        const text = try result.render(boot.arena);
        var buffer: Name = undefined;
        const partial = withSuffix(&buffer, fingerprint, ".result");
        small_file.write(directory.handle, fingerprint, partial, text) catch |err| boot.fail(directory, err);
    }

    fn acquire(boot: *Boot, directory: Directory, lock_name: []const u8, name: []const u8) !std.fs.File {
        const lock = try file_changes.openOrCreate(directory.handle, lock_name, private_file_mode);
        errdefer lock.close();
        if (try locking.tryExclusive(lock) == null) {
            if (std.fs.File.stderr().isTty()) {
                report.note(boot.context.lift.name, "waiting for another process that runs the binding {s}", .{name});
            }
            _ = try locking.exclusive(lock);
        }
        return lock;
    }

    /// The directory of this lift, made if it does not exist: below the base directory or, if only root can write there
    /// or the base directory is a permanent installation, below the next one.
    fn open(boot: *Boot) error{OutOfMemory}!Directory {
        if (boot.directory) |directory| return directory;
        const id = idOf(boot.context.lift);
        var failure: anyerror = error.FileNotFound;
        if (boot.base.scope != .host_read_only and boot.context.lift.hasParts()) {
            if (openBelow(boot.base.directory, &id, boot.context.lift.name)) |handle| {
                return boot.opened(handle, boot.base.path, &id);
            } else |err| failure = err;
        }
        for (boot.places) |place| {
            if (place.scope == .host_read_only or std.mem.eql(u8, place.path, boot.base.path)) continue;
            var reason: []const u8 = "";
            const base = try base_directory.prepare(boot.arena, place.path, &.{}, .cache, &reason) orelse continue;
            if (openBelow(base, &id, boot.context.lift.name)) |handle| {
                return boot.opened(handle, place.path, &id);
            } else |err| failure = err;
            base_directory.close(base);
        }
        messages.bootNotWritable(boot.context.lift.name, boot.base.path, failure);
    }

    fn opened(boot: *Boot, handle: std.fs.Dir, base: []const u8, id: []const u8) error{OutOfMemory}!Directory {
        boot.directory = .{ .handle = handle, .path = try std.fs.path.join(boot.arena, &.{ base, directory_name, id }) };
        return boot.directory.?;
    }

    fn fail(boot: *const Boot, directory: Directory, err: anyerror) noreturn {
        messages.bootNotWritable(boot.context.lift.name, directory.path, err);
    }

    const Write = *const fn (boot: *Boot, directory: std.fs.Dir, partial: []const u8, text: []const u8) anyerror!void;

    /// A file that is made of the executable, unless it exists.
    fn extracted(boot: *Boot, name: []const u8, write: Write) placeholders.Error![]const u8 {
        const directory = try boot.open();
        const text = manifest.readText(boot.arena, boot.executable.file, boot.executable.payload_end) catch |err| boot.fail(directory, err);
        const checksum = manifest.checksum(text);
        const path = try std.fs.path.join(boot.arena, &.{ directory.path, checksum, name });
        boot.extractTo(directory.handle, checksum, name, write, text) catch |err| switch (err) {
            error.OutOfMemory => return error.OutOfMemory,
            else => boot.fail(directory, err),
        };
        return path;
    }

    fn extractTo(boot: *Boot, directory: std.fs.Dir, checksum: []const u8, name: []const u8, write: Write, text: []const u8) anyerror!void {
        try makePrivate(directory, checksum);
        var own = try directory.openDir(checksum, .{});
        defer own.close();
        if (own.access(name, .{})) |_| return else |err| if (err != error.FileNotFound) return err;
        process.occupyStandardHandles();
        // Another process may do the same.
        const partial = try std.fmt.allocPrint(boot.arena, "{s}.{d}.partial", .{ name, std.Thread.getCurrentId() });
        own.deleteFile(partial) catch |err| if (err != error.FileNotFound) return err;
        errdefer own.deleteFile(partial) catch {};
        try write(boot, own, partial, text);
        try file_changes.rename(own, partial, own, name);
    }

    fn writeLift(_: *Boot, directory: std.fs.Dir, partial: []const u8, text: []const u8) anyerror!void {
        const file = try file_changes.create(directory, partial, private_file_mode);
        defer file.close();
        try file.writeAll(text);
        try file.writeAll("\n");
    }

    fn writeLauncher(boot: *Boot, directory: std.fs.Dir, partial: []const u8, text: []const u8) anyerror!void {
        const length = try manifest.launcherLength(boot.arena, text, boot.executable.payload_end);
        const mode: std.fs.File.Mode = if (builtin.os.tag == .windows) 0 else 0o700;
        const file = try directory.createFile(partial, .{ .exclusive = true, .read = true, .mode = mode });
        defer file.close();
        try launcher_file.copy(boot.executable.file, file, length);
    }
};

/// The `arguments` of a binding, with the path of its program: one without a directory is in the PATH that the binding
/// gets. scie-jump looks there for the programs of bindings, though not for those of commands.
pub fn located(
    arena: Allocator,
    arguments: []const [:0]const u8,
    environment: Environment,
) error{OutOfMemory}![]const [:0]const u8 {
    if (builtin.os.tag == .windows or std.mem.indexOfScalar(u8, arguments[0], '/') != null) return arguments;
    var directories = std.mem.tokenizeScalar(u8, environment.get("PATH") orelse "/bin:/usr/bin", ':');
    while (directories.next()) |directory| {
        const path = try std.fs.path.joinZ(arena, &.{ directory, arguments[0] });
        const status = file_status.at(std.fs.cwd(), path) catch continue;
        if (status.kind != .file) continue;
        std.posix.accessZ(path, std.posix.X_OK) catch continue;
        return std.mem.concat(arena, [:0]const u8, &.{ &.{path}, arguments[1..] });
    }
    return arguments;
}

const private_file_mode: std.fs.File.Mode = if (builtin.os.tag == .windows) 0 else 0o600;

/// What bindings write may be secret.
fn makePrivate(directory: std.fs.Dir, name: []const u8) !void {
    const made = if (builtin.os.tag == .windows) directory.makeDir(name) else std.posix.mkdirat(directory.fd, name, 0o700);
    made catch |err| if (err != error.PathAlreadyExists) return err;
}

fn openBelow(base: std.fs.Dir, id: []const u8, application: []const u8) !std.fs.Dir {
    var buffer: Name = undefined;
    const path = std.fmt.bufPrint(&buffer, directory_name ++ "/{s}", .{id}) catch unreachable; // our own name and digits
    if (file_status.at(base, path)) |status| {
        recordUse(base, id, path, status.mtime);
    } else |err| if (err != error.FileNotFound) return err;
    return base.openDir(path, .{ .no_follow = true }) catch |err| {
        if (err != error.FileNotFound) return err;
        try makePrivate(base, directory_name);
        recordApplication(base, id, application); // before the directory, with which no start comes here again
        try makePrivate(base, path);
        return base.openDir(path, .{ .no_follow = true });
    };
}

/// Records the application that makes the directory. Ignores failures.
fn recordApplication(base: std.fs.Dir, id: []const u8, application: []const u8) void {
    const lock = Lock.open(base, id) catch return;
    defer lock.close();
    (Lock{ .file = lock }).recordApplication(application);
}

/// Records the use of `path` once a day, as its modification time. Waits for a process that is removing it. Ignores
/// failures: who cannot write there cannot remove it either.
fn recordUse(base: std.fs.Dir, id: []const u8, path: []const u8, last: last_use.Time) void {
    if (last != base_directory.removal_mark) {
        if (last_use.isDayOld(last)) _ = last_use.touch(base, path);
        return;
    }
    const lock = Lock.open(base, id) catch return;
    defer lock.close();
    _ = locking.exclusive(lock) catch return;
    _ = last_use.touch(base, path);
}

fn withSuffix(buffer: *Name, name: []const u8, suffix: []const u8) []const u8 {
    return std.fmt.bufPrint(buffer, "{s}{s}", .{ name, suffix }) catch unreachable; // digits and our own suffixes
}

const Digits = [manifest.installed_name_length]u8;

/// Stands for what bindings depend on.
pub fn idOf(lift: manifest.Manifest) Digits {
    var hash: Sha256 = .{};
    add(&hash, lift.name);
    addCount(&hash, lift.files.len);
    for (lift.files) |file| add(&hash, file.digest);
    for (lift.lazy) |part| add(&hash, part.digest);
    addCount(&hash, lift.boot.bindings.map.count());
    for (lift.boot.bindings.map.keys(), lift.boot.bindings.map.values()) |name, binding| {
        add(&hash, name);
        add(&hash, binding.exe);
        addCount(&hash, binding.args.len);
        for (binding.args) |argument| add(&hash, argument);
        addChanges(&hash, binding.env.map.keys(), binding.env.map.values());
    }
    return hash.finalHex()[0..manifest.installed_name_length].*;
}

/// Stands for one run of a binding.
fn fingerprintOf(name: []const u8, prepared: command.Prepared) Digits {
    var hash: Sha256 = .{};
    add(&hash, name);
    addCount(&hash, prepared.arguments.len);
    for (prepared.arguments) |argument| add(&hash, argument);
    addChanges(&hash, prepared.changes.keys(), prepared.changes.values());
    return hash.finalHex()[0..manifest.installed_name_length].*;
}

fn addChanges(hash: *Sha256, keys: []const []const u8, values: []const ?[]const u8) void {
    addCount(hash, keys.len);
    for (keys, values) |key, value| {
        add(hash, key);
        hash.update(if (value == null) "-" else "+");
        add(hash, value orelse "");
    }
}

/// With its length, so that no two sequences of texts are the same bytes.
fn add(hash: *Sha256, text: []const u8) void {
    addCount(hash, text.len);
    hash.update(text);
}

fn addCount(hash: *Sha256, count: usize) void {
    var bytes: [8]u8 = undefined;
    std.mem.writeInt(u64, &bytes, count, .little);
    hash.update(&bytes);
}

fn preparedForTests(arena: Allocator, arguments: []const [:0]const u8, changes: []const struct { []const u8, ?[]const u8 }) !command.Prepared {
    var prepared: command.Prepared = .{ .arguments = arguments, .changes = .empty, .removed = &.{} };
    for (changes) |each| try prepared.changes.put(arena, each[0], each[1]);
    return prepared;
}

test "every difference of a binding is one of its fingerprint" {
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    const allocator = arena.allocator();
    const different = [_]command.Prepared{
        try preparedForTests(allocator, &.{ "a", "b" }, &.{}),
        try preparedForTests(allocator, &.{"ab"}, &.{}),
        try preparedForTests(allocator, &.{ "a", "b", "" }, &.{}),
        try preparedForTests(allocator, &.{"a"}, &.{.{ "b", "" }}),
        try preparedForTests(allocator, &.{"a"}, &.{.{ "b", null }}),
        try preparedForTests(allocator, &.{"a"}, &.{.{ "b", "c" }}),
        try preparedForTests(allocator, &.{"a"}, &.{.{ "bc", "" }}),
    };
    for (different, 0..) |one, i| {
        try testing.expectEqualStrings(&fingerprintOf("n", one), &fingerprintOf("n", one));
        try testing.expect(!std.mem.eql(u8, &fingerprintOf("n", one), &fingerprintOf("m", one)));
        for (different[i + 1 ..]) |other| {
            try testing.expect(!std.mem.eql(u8, &fingerprintOf("n", one), &fingerprintOf("n", other)));
        }
    }
}
