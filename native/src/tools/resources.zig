//! Resources of a host that programs expect and a bare root lacks: whether each exists, and what happens without it.

const std = @import("std");
const builtin = @import("builtin");
const testing = std.testing;
const Allocator = std.mem.Allocator;
const Environment = @import("../environment.zig").Environment;

const Resource = struct {
    name: []const u8,
    /// One of them is enough.
    paths: []const []const u8,
    /// The access that programs need.
    use: enum { read, write } = .read,
    /// What happens without it.
    consequence: []const u8,
};

const linux_resources = [_]Resource{
    .{
        .name = "/proc",
        .paths = &.{"/proc/self"},
        .consequence = "programs that read /proc/self fail, and a start cannot unpack into memory (docs/explained/bare.md)",
    },
    .{
        .name = "/dev/null",
        .paths = &.{"/dev/null"},
        .use = .write,
        .consequence = "subprocess.DEVNULL and daemons fail: FileNotFoundError",
    },
    .{
        .name = "shared memory",
        .paths = &.{"/dev/shm"},
        .use = .write,
        .consequence = "locks, pools, queues and shared memory of multiprocessing fail: OSError",
    },
    .{
        .name = "users",
        .paths = &.{"/etc/passwd"},
        .consequence = "users have no names: pwd raises KeyError, getpass.getuser() needs USER, ~ needs HOME",
    },
    .{
        .name = "hosts",
        .paths = &.{"/etc/hosts"},
        .consequence = "localhost does not resolve, 127.0.0.1 works",
    },
    .{
        .name = "name servers",
        .paths = &.{"/etc/resolv.conf"},
        .consequence = "the resolver queries 127.0.0.1",
    },
    .{
        .name = "certificates",
        .paths = &.{
            "/etc/ssl/certs/ca-certificates.crt",
            "/etc/ssl/cert.pem",
            "/etc/pki/tls/cert.pem",
            "/etc/ssl/certs",
        },
        .consequence = "TLS verification fails without certifi in the payload or [lift.bare] certificates",
    },
    .{
        .name = "time zones",
        .paths = &.{ "/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/usr/share/lib/zoneinfo", "/etc/zoneinfo" },
        .consequence = "zoneinfo finds no zone without tzdata in the payload or [lift.bare] tzdata",
    },
    .{
        .name = "terminals",
        .paths = &.{ "/etc/terminfo", "/lib/terminfo", "/usr/share/terminfo" },
        .consequence = "curses and readline know only the terminals that the interpreter bundles",
    },
    .{
        .name = "shell",
        .paths = &.{"/bin/sh"},
        .consequence = "os.system and shell=True fail: status 127, FileNotFoundError",
    },
};

pub const Finding = struct {
    name: []const u8,
    /// The first path that exists.
    path: ?[]const u8,
    state: []const u8,
    usable: bool,
};

/// `variables` name the directory of temporary files.
pub fn examine(arena: Allocator, variables: Environment) error{OutOfMemory}![]const Finding {
    var found: std.ArrayList(Finding) = .empty;
    if (builtin.os.tag == .linux) for (linux_resources) |resource| try found.append(arena, find(resource));
    if (builtin.os.tag != .windows) try found.append(arena, temporaryDirectory(variables));
    return found.items;
}

fn find(resource: Resource) Finding {
    for (resource.paths) |path| {
        const mode: std.fs.File.OpenMode = if (resource.use == .write) .read_write else .read_only;
        if (std.fs.cwd().access(path, .{ .mode = mode })) {
            return .{ .name = resource.name, .path = path, .state = "present", .usable = true };
        } else |err| if (err != error.FileNotFound and err != error.NotDir) {
            return .{ .name = resource.name, .path = path, .state = resource.consequence, .usable = false };
        }
    }
    return .{ .name = resource.name, .path = null, .state = resource.consequence, .usable = false };
}

/// Chooses like tempfile, except for the working directory.
fn temporaryDirectory(variables: Environment) Finding {
    for ([_]?[]const u8{ variables.get("TMPDIR"), "/tmp", "/var/tmp" }) |given| {
        const path = given orelse continue;
        if (path.len == 0) continue;
        std.fs.cwd().access(path, .{ .mode = .read_write }) catch continue;
        return .{ .name = "temporary files", .path = path, .state = "present", .usable = true };
    }
    return .{
        .name = "temporary files",
        .path = null,
        .state = "tempfile fails unless the working directory is writable: FileNotFoundError",
        .usable = false,
    };
}

/// Prints the findings as text.
pub fn write(out: *std.Io.Writer, findings: []const Finding) std.Io.Writer.Error!void {
    for (findings) |finding| {
        const state = if (finding.path == null) "missing" else if (finding.usable) "present" else "unusable";
        try out.print("{s:<15} {s}", .{ finding.name, state });
        if (finding.path) |path| if (!std.mem.eql(u8, path, finding.name)) try out.print(" ({s})", .{path});
        if (!finding.usable) try out.print(": {s}", .{finding.state});
        try out.writeByte('\n');
    }
}

test "a missing resource is reported with its consequence" {
    const missing: Resource = .{ .name = "it", .paths = &.{ "/nowhere/1", "/nowhere/2" }, .consequence = "pity" };
    var buffer: [256]u8 = undefined;
    var out: std.Io.Writer = .fixed(&buffer);
    const root: Resource = .{ .name = "root", .paths = &.{ "/nowhere", "/" }, .consequence = "pity" };
    try write(&out, &.{ find(missing), find(root) });
    try testing.expectEqualStrings("it              missing: pity\nroot            present (/)\n", out.buffered());
}
