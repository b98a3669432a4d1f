//! What all requests of one run have in common: the environment, the certificates, and the last fault.

const std = @import("std");
const builtin = @import("builtin");
const Allocator = std.mem.Allocator;
const Bundle = std.crypto.Certificate.Bundle;
const netrc = @import("netrc.zig");
const Watch = @import("watch.zig").Watch;

/// Why a request failed.
pub const Fault = struct {
    why: []const u8 = "",
    hint: []const u8 = "",
    /// Whether another attempt may succeed.
    is_transient: bool = false,
};

pub const Session = struct {
    arena: Allocator,
    environment: *const std.process.EnvMap,
    watch: *Watch,
    fault: Fault = .{},
    certificates: ?Bundle = null,

    /// Records why a request failed.
    pub fn fail(session: *Session, fault: Fault) error{Failed} {
        session.fault = fault;
        return error.Failed;
    }

    pub fn print(session: *Session, comptime format: []const u8, arguments: anytype) []const u8 {
        return std.fmt.allocPrint(session.arena, format, arguments) catch "out of memory";
    }

    /// The certificates of authorities to trust: those of SSL_CERT_FILE and SSL_CERT_DIR, else the system's.
    pub fn authorities(session: *Session) error{ Failed, OutOfMemory }!Bundle {
        if (session.certificates) |bundle| return bundle;
        var bundle: Bundle = .{};
        var named = false;
        for ([_][]const u8{ "SSL_CERT_FILE", "SSL_CERT_DIR" }) |variable| {
            const path = session.environment.get(variable) orelse continue;
            if (path.len == 0) continue;
            named = true;
            const is_file = std.mem.endsWith(u8, variable, "FILE");
            const added = if (is_file)
                bundle.addCertsFromFilePath(session.arena, std.fs.cwd(), path)
            else
                bundle.addCertsFromDirPath(session.arena, std.fs.cwd(), path);
            added catch |err| return session.fail(.{
                .why = session.print("cannot read the certificates in {s}: {s}", .{ path, @errorName(err) }),
                .hint = session.print("set {s} to certificates in PEM", .{variable}),
            });
        }
        if (!named) bundle.rescan(session.arena) catch |err| return session.fail(.{
            .why = session.print("cannot read the system's certificates: {s}", .{@errorName(err)}),
            .hint = "set SSL_CERT_FILE to a file of certificates in PEM",
        });
        if (bundle.map.count() == 0) return session.fail(.{
            .why = "this host has no certificates of authorities",
            .hint = "install ca-certificates, or set SSL_CERT_FILE to a file of certificates in PEM",
        });
        session.certificates = bundle;
        return bundle;
    }

    /// The credentials of `host` in the user's netrc file: NETRC, else `.netrc` in the home directory.
    pub fn credentials(session: *Session, host: []const u8) error{OutOfMemory}!?netrc.Credentials {
        const environment = session.environment;
        const path = environment.get("NETRC") orelse path: {
            const home = environment.get(if (builtin.os.tag == .windows) "USERPROFILE" else "HOME") orelse return null;
            const name = if (builtin.os.tag == .windows) "_netrc" else ".netrc";
            break :path try std.fs.path.join(session.arena, &.{ home, name });
        };
        const text = std.fs.cwd().readFileAlloc(session.arena, path, netrc.length_max) catch |err| {
            return if (err == error.OutOfMemory) error.OutOfMemory else null;
        };
        return netrc.find(text, host);
    }
};
