extension OID {
    /// The element type of a built-in array type, nil for anything else.
    package var element: OID? {
        switch rawValue {
        case 1000: .bool
        case 1001: .bytea
        case 1002: .char
        case 1003: .name
        case 1016: .int8
        case 1005: .int2
        case 1006: .int2vector
        case 1007: .int4
        case 1008: .regproc
        case 1009: .text
        case 1028: .oid
        case 1010: .tid
        case 1011: .xid
        case 1012: .cid
        case 1013: .oidvector
        case 199: .json
        case 143: .xml
        case 1017: .point
        case 1018: .lseg
        case 1019: .path
        case 1020: .box
        case 1027: .polygon
        case 629: .line
        case 651: .cidr
        case 1021: .float4
        case 1022: .float8
        case 719: .circle
        case 775: .macaddr8
        case 791: .money
        case 1040: .macaddr
        case 1041: .inet
        case 1034: .aclitem
        case 1014: .bpchar
        case 1015: .varchar
        case 1182: .date
        case 1183: .time
        case 1115: .timestamp
        case 1185: .timestamptz
        case 1187: .interval
        case 1270: .timetz
        case 1561: .bit
        case 1563: .varbit
        case 1231: .numeric
        case 2201: .refcursor
        case 2207: .regprocedure
        case 2208: .regoper
        case 2209: .regoperator
        case 2210: .regclass
        case 2211: .regtype
        case 2951: .uuid
        case 2949: .txidSnapshot
        case 3221: .pgLSN
        case 3643: .tsvector
        case 3645: .tsquery
        case 3735: .regconfig
        case 3770: .regdictionary
        case 3807: .jsonb
        case 3905: .int4range
        case 3907: .numrange
        case 3909: .tsrange
        case 3911: .tstzrange
        case 3913: .daterange
        case 3927: .int8range
        case 4073: .jsonpath
        case 4090: .regnamespace
        case 4097: .regrole
        case 4192: .regcollation
        case 6150: .int4multirange
        case 6151: .nummultirange
        case 6152: .tsmultirange
        case 6153: .tstzmultirange
        case 6155: .datemultirange
        case 6157: .int8multirange
        case 5039: .pgSnapshot
        case 271: .xid8
        default: nil
        }
    }

    /// The array type over a built-in type, nil for anything else.
    package var array: OID? {
        switch rawValue {
        case 16: .boolArray
        case 17: .byteaArray
        case 18: .charArray
        case 19: .nameArray
        case 20: .int8Array
        case 21: .int2Array
        case 22: .int2vectorArray
        case 23: .int4Array
        case 24: .regprocArray
        case 25: .textArray
        case 26: .oidArray
        case 27: .tidArray
        case 28: .xidArray
        case 29: .cidArray
        case 30: .oidvectorArray
        case 114: .jsonArray
        case 142: .xmlArray
        case 600: .pointArray
        case 601: .lsegArray
        case 602: .pathArray
        case 603: .boxArray
        case 604: .polygonArray
        case 628: .lineArray
        case 650: .cidrArray
        case 700: .float4Array
        case 701: .float8Array
        case 718: .circleArray
        case 774: .macaddr8Array
        case 790: .moneyArray
        case 829: .macaddrArray
        case 869: .inetArray
        case 1033: .aclitemArray
        case 1042: .bpcharArray
        case 1043: .varcharArray
        case 1082: .dateArray
        case 1083: .timeArray
        case 1114: .timestampArray
        case 1184: .timestamptzArray
        case 1186: .intervalArray
        case 1266: .timetzArray
        case 1560: .bitArray
        case 1562: .varbitArray
        case 1700: .numericArray
        case 1790: .refcursorArray
        case 2202: .regprocedureArray
        case 2203: .regoperArray
        case 2204: .regoperatorArray
        case 2205: .regclassArray
        case 2206: .regtypeArray
        case 2950: .uuidArray
        case 2970: .txidSnapshotArray
        case 3220: .pgLSNArray
        case 3614: .tsvectorArray
        case 3615: .tsqueryArray
        case 3734: .regconfigArray
        case 3769: .regdictionaryArray
        case 3802: .jsonbArray
        case 3904: .int4rangeArray
        case 3906: .numrangeArray
        case 3908: .tsrangeArray
        case 3910: .tstzrangeArray
        case 3912: .daterangeArray
        case 3926: .int8rangeArray
        case 4072: .jsonpathArray
        case 4089: .regnamespaceArray
        case 4096: .regroleArray
        case 4191: .regcollationArray
        case 4451: .int4multirangeArray
        case 4532: .nummultirangeArray
        case 4533: .tsmultirangeArray
        case 4534: .tstzmultirangeArray
        case 4535: .datemultirangeArray
        case 4536: .int8multirangeArray
        case 5038: .pgSnapshotArray
        case 5069: .xid8Array
        default: nil
        }
    }
}

extension OID {
    package static let boolArray = OID(1000)
    package static let byteaArray = OID(1001)
    package static let charArray = OID(1002)
    package static let nameArray = OID(1003)
    package static let int8Array = OID(1016)
    package static let int2Array = OID(1005)
    package static let int2vectorArray = OID(1006)
    package static let int4Array = OID(1007)
    package static let regprocArray = OID(1008)
    package static let textArray = OID(1009)
    package static let oidArray = OID(1028)
    package static let tidArray = OID(1010)
    package static let xidArray = OID(1011)
    package static let cidArray = OID(1012)
    package static let oidvectorArray = OID(1013)
    package static let jsonArray = OID(199)
    package static let xmlArray = OID(143)
    package static let pointArray = OID(1017)
    package static let lsegArray = OID(1018)
    package static let pathArray = OID(1019)
    package static let boxArray = OID(1020)
    package static let polygonArray = OID(1027)
    package static let lineArray = OID(629)
    package static let cidrArray = OID(651)
    package static let float4Array = OID(1021)
    package static let float8Array = OID(1022)
    package static let circleArray = OID(719)
    package static let macaddr8Array = OID(775)
    package static let moneyArray = OID(791)
    package static let macaddrArray = OID(1040)
    package static let inetArray = OID(1041)
    package static let aclitemArray = OID(1034)
    package static let bpcharArray = OID(1014)
    package static let varcharArray = OID(1015)
    package static let dateArray = OID(1182)
    package static let timeArray = OID(1183)
    package static let timestampArray = OID(1115)
    package static let timestamptzArray = OID(1185)
    package static let intervalArray = OID(1187)
    package static let timetzArray = OID(1270)
    package static let bitArray = OID(1561)
    package static let varbitArray = OID(1563)
    package static let numericArray = OID(1231)
    package static let refcursorArray = OID(2201)
    package static let regprocedureArray = OID(2207)
    package static let regoperArray = OID(2208)
    package static let regoperatorArray = OID(2209)
    package static let regclassArray = OID(2210)
    package static let regtypeArray = OID(2211)
    package static let uuidArray = OID(2951)
    package static let txidSnapshotArray = OID(2949)
    package static let pgLSNArray = OID(3221)
    package static let tsvectorArray = OID(3643)
    package static let tsqueryArray = OID(3645)
    package static let regconfigArray = OID(3735)
    package static let regdictionaryArray = OID(3770)
    package static let jsonbArray = OID(3807)
    package static let int4rangeArray = OID(3905)
    package static let numrangeArray = OID(3907)
    package static let tsrangeArray = OID(3909)
    package static let tstzrangeArray = OID(3911)
    package static let daterangeArray = OID(3913)
    package static let int8rangeArray = OID(3927)
    package static let jsonpathArray = OID(4073)
    package static let regnamespaceArray = OID(4090)
    package static let regroleArray = OID(4097)
    package static let regcollationArray = OID(4192)
    package static let int4multirangeArray = OID(6150)
    package static let nummultirangeArray = OID(6151)
    package static let tsmultirangeArray = OID(6152)
    package static let tstzmultirangeArray = OID(6153)
    package static let datemultirangeArray = OID(6155)
    package static let int8multirangeArray = OID(6157)
    package static let pgSnapshotArray = OID(5039)
    package static let xid8Array = OID(271)
}
