//! `czscie-fetch --part REQUEST…`: what the launcher asks for. It holds the lock of the part, and renames the directory
//! when this program has ended well.

const std = @import("std");
const builtin = @import("builtin");
const testing = std.testing;
const archive = @import("archive.zig");
const download = @import("download.zig");
const report = @import("../report.zig");
const Session = @import("session.zig").Session;
const urls = @import("urls.zig");

pub const argument = "--part";

/// The arguments, in this order. What is unknown is empty.
pub const Request = struct {
    /// The application's name in messages.
    application: []const u8,
    /// The file's name in messages and in documents with URLs.
    name: []const u8,
    type: []const u8,
    executable: []const u8,
    size: []const u8,
    sha256: []const u8,
    /// The file to download into, which is kept until it is complete.
    download: []const u8,
    /// The empty directory to install into, and the path in it.
    directory: []const u8,
    path: []const u8,
    url: []const u8,
    /// A document with URLs that replace `url`.
    urls: []const u8,

    const count = std.meta.fields(Request).len;

    /// Null if there are too few arguments. What follows them is a program that prints the file.
    fn parse(arguments: []const [:0]const u8) ?Request {
        if (arguments.len < count) return null;
        var request: Request = undefined;
        inline for (std.meta.fields(Request), 0..) |field, i| @field(request, field.name) = arguments[i];
        return request;
    }
};

pub fn run(session: *Session, arguments: []const [:0]const u8) !u8 {
    const request = Request.parse(arguments) orelse return error.InvalidArguments;
    const program = arguments[Request.count..];
    const application = request.application;
    const kind = std.meta.stringToEnum(archive.Type, request.type) orelse return error.InvalidArguments;
    const wanted: download.Wanted = .{
        .name = request.name,
        .size = if (request.size.len == 0) null else try std.fmt.parseInt(u64, request.size, 10),
        .sha256 = if (request.sha256.len == 0) null else request.sha256,
    };
    const file = std.fs.cwd().createFile(request.download, .{
        .read = true,
        .truncate = false,
        .mode = if (builtin.os.tag == .windows) 0 else 0o600,
    }) catch |err| report.fatal(application, "cannot write {s}: {s}" ++
        "\nhint: set CZSCIE_BASE to a directory that you can write to", .{ request.download, report.describe(err) });
    defer file.close();
    if (program.len > 0) try printed(session, file, program, wanted, application) else try fetched(session, file, request, wanted);
    var directory = try std.fs.cwd().openDir(request.directory, .{});
    defer directory.close();
    const is_executable = std.mem.eql(u8, request.executable, "1");
    archive.install(session.arena, kind, file, directory, request.path, is_executable) catch |err| report.fatal(
        application,
        "cannot install {s} into {s}: {s}",
        .{ request.name, request.directory, describe(err) },
    );
    return 0;
}

fn fetched(session: *Session, file: std.fs.File, request: Request, wanted: download.Wanted) !void {
    var url = request.url;
    if (request.urls.len > 0) {
        const found = urls.read(session.arena, request.urls, request.name) catch |err| report.fatal(
            request.application,
            "cannot read the URLs in {s}: {s}",
            .{ request.urls, if (err == error.InvalidDocument) "it is not a JSON object with the member ptex" else report.describe(err) },
        );
        url = found orelse url;
    }
    if (url.len == 0) report.fatal(request.application, "no URL is known for {s}", .{request.name});
    download.toFile(session, url, file, wanted) catch |err| {
        if (err != error.Failed) return err;
        // What differs from the manifest must not be resumed.
        if (std.mem.startsWith(u8, session.fault.why, "its ")) file.setEndPos(0) catch {};
        failed(session, request.application, request.name, url);
    };
}

/// Reports why the download of `url` failed, without the credentials that the URL may have.
pub fn failed(session: *Session, application: []const u8, name: []const u8, url: []const u8) noreturn {
    const fault = session.fault;
    const hint = if (fault.hint.len == 0) "" else session.print("\nhint: {s}", .{fault.hint});
    report.fatal(application, "cannot download {s}\n  from {s}\n  {s}{s}", .{ name, withoutSecrets(session, url), fault.why, hint });
}

fn withoutSecrets(session: *Session, url: []const u8) []const u8 {
    var uri = std.Uri.parse(url) catch return url;
    uri.user = null;
    uri.password = null;
    uri.query = null;
    return session.print("{f}", .{uri.fmt(.{ .scheme = true, .authority = true, .path = true })});
}

/// Has `program` print the file.
fn printed(session: *Session, file: std.fs.File, program: []const [:0]const u8, wanted: download.Wanted, application: []const u8) !void {
    try file.setEndPos(0);
    var child: std.process.Child = .init(program, session.arena);
    child.stdout_behavior = .Pipe;
    spawn(&child) catch |err| report.fatal(application, "cannot start {s}, which prints {s}: {s}", .{
        program[0], wanted.name, report.describe(err),
    });
    var buffer: [64 << 10]u8 = undefined;
    const output = child.stdout.?;
    var length: u64 = 0;
    while (true) {
        const count = try output.read(&buffer);
        if (count == 0) break;
        length += count;
        if (wanted.size) |size| if (length > size) break;
        try file.writeAll(buffer[0..count]);
    }
    if (wanted.size) |size| if (length > size) {
        _ = child.kill() catch {};
        report.fatal(application, "{s} prints more than the {d} bytes of {s}", .{ program[0], size, wanted.name });
    };
    const ending = try child.wait();
    if (ending != .Exited or ending.Exited != 0) switch (ending) {
        .Exited => |status| report.fatal(application, "cannot make {s}\n  {s} failed: exit status: {d}", .{ wanted.name, program[0], status }),
        else => report.fatal(application, "cannot make {s}\n  {s} was killed", .{ wanted.name, program[0] }),
    };
    download.check(session, file, wanted) catch |err| {
        if (err != error.Failed) return err;
        report.fatal(application, "{s} prints a {s} that differs from the manifest\n  {s}", .{ program[0], wanted.name, session.fault.why });
    };
}

fn spawn(child: *std.process.Child) !void {
    try child.spawn();
    try child.waitForSpawn();
}

fn describe(err: anyerror) []const u8 {
    return switch (err) {
        error.InvalidArchive => "the archive is damaged",
        error.UnsafeArchive => "the archive has a member that leads out of its directory, or that is neither a file nor a link",
        error.PathAlreadyExists => "two members of the archive have the same path here",
        else => report.describe(err),
    };
}

test "the arguments are the fields in their order" {
    const arguments = [_][:0]const u8{ "app", "f.tar", "tar", "0", "", "", "d", "dir", "", "u", "", "prog" };
    const request = Request.parse(&arguments).?;
    try testing.expectEqualStrings("app", request.application);
    try testing.expectEqualStrings("u", request.url);
    try testing.expectEqual(null, Request.parse(arguments[0 .. Request.count - 1]));
}
