package DBIx::Class::Exception;

# Stands in for DBIx::Class's own in these tests: an object, whose text is the message and where it was thrown.

use Modern::Perl;

use overload q{""} => sub { return $_[0]{msg} }, fallback => 1;

sub throw {
    my ( $class, $message ) = @_;

    my ( undef, $file, $line ) = caller 1;

    die bless { msg => "$message at $file line $line\n" }, $class;
}

1;
