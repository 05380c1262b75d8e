using System.Globalization;

namespace KubeProxy.Netlink;

/// <summary>The errno values that netlink families answer with (asm-generic/errno.h), as positive numbers.</summary>
public static class Errno
{
    /// <summary>EPERM.</summary>
    public const int OperationNotPermitted = 1;

    /// <summary>ENOENT.</summary>
    public const int NoSuchEntry = 2;

    /// <summary>ESRCH: also of a route that is not there.</summary>
    public const int NoSuchProcess = 3;

    /// <summary>EINTR.</summary>
    public const int Interrupted = 4;

    /// <summary>EAGAIN.</summary>
    public const int TryAgain = 11;

    /// <summary>ENOMEM.</summary>
    public const int OutOfMemory = 12;

    /// <summary>EACCES.</summary>
    public const int AccessDenied = 13;

    /// <summary>EBUSY.</summary>
    public const int Busy = 16;

    /// <summary>EEXIST.</summary>
    public const int Exists = 17;

    /// <summary>ENODEV.</summary>
    public const int NoSuchDevice = 19;

    /// <summary>EINVAL.</summary>
    public const int InvalidArgument = 22;

    /// <summary>ERANGE: too long, for example a name.</summary>
    public const int OutOfRange = 34;

    /// <summary>EBADMSG: used here for bytes that are not a netlink message.</summary>
    public const int BadMessage = 74;

    /// <summary>ERESTART: the ruleset was changed meanwhile.</summary>
    public const int Restart = 85;

    /// <summary>EMSGSIZE.</summary>
    public const int MessageTooLong = 90;

    /// <summary>EPROTONOSUPPORT.</summary>
    public const int ProtocolNotSupported = 93;

    /// <summary>EOPNOTSUPP.</summary>
    public const int NotSupported = 95;

    /// <summary>EAFNOSUPPORT.</summary>
    public const int AddressFamilyNotSupported = 97;

    /// <summary>EADDRNOTAVAIL.</summary>
    public const int AddressNotAvailable = 99;

    /// <summary>ENOBUFS.</summary>
    public const int NoBufferSpace = 105;

    /// <summary>The symbol, for example <c>ENOENT</c>; <c>errno 4711</c> for a number that is not in the table.</summary>
    public static string Name(int errno) => errno switch
    {
        0 => "OK",
        1 => "EPERM",
        2 => "ENOENT",
        3 => "ESRCH",
        4 => "EINTR",
        5 => "EIO",
        6 => "ENXIO",
        7 => "E2BIG",
        9 => "EBADF",
        11 => "EAGAIN",
        12 => "ENOMEM",
        13 => "EACCES",
        14 => "EFAULT",
        16 => "EBUSY",
        17 => "EEXIST",
        18 => "EXDEV",
        19 => "ENODEV",
        20 => "ENOTDIR",
        21 => "EISDIR",
        22 => "EINVAL",
        23 => "ENFILE",
        24 => "EMFILE",
        27 => "EFBIG",
        28 => "ENOSPC",
        31 => "EMLINK",
        33 => "EDOM",
        34 => "ERANGE",
        36 => "ENAMETOOLONG",
        38 => "ENOSYS",
        40 => "ELOOP",
        61 => "ENODATA",
        71 => "EPROTO",
        74 => "EBADMSG",
        75 => "EOVERFLOW",
        85 => "ERESTART",
        90 => "EMSGSIZE",
        92 => "ENOPROTOOPT",
        93 => "EPROTONOSUPPORT",
        95 => "EOPNOTSUPP",
        97 => "EAFNOSUPPORT",
        98 => "EADDRINUSE",
        99 => "EADDRNOTAVAIL",
        100 => "ENETDOWN",
        101 => "ENETUNREACH",
        105 => "ENOBUFS",
        107 => "ENOTCONN",
        108 => "ESHUTDOWN",
        110 => "ETIMEDOUT",
        111 => "ECONNREFUSED",
        112 => "EHOSTDOWN",
        113 => "EHOSTUNREACH",
        115 => "EINPROGRESS",
        524 => "ENOTSUPP",
        _ => string.Create(CultureInfo.InvariantCulture, $"errno {errno}"),
    };
}
